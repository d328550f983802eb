// Any messages for any sessions: each session's peer reads from its frames what was added, those who agreed
// on the same have one copy, and no memory is held at the end.
#include "protocol/shared_messages.h"

#include <memory>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

struct Message {
  Opcode opcode;
  std::string payload;
};

// A connection of the server's, and its peer.
struct Pair {
  std::unique_ptr<DeflateSession> session;  // null without compression
  std::unique_ptr<DeflateSession> peer;
  FrameReader reader;
};

size_t Worst() { return Decompressor::MaxBytes(kMaxWindowBits); }

Pair MakePair(Input& input, DeflateWorkspace& workspace, DeflateWorkspace& peers) {
  const uint8_t bits = input.Byte();
  const bool deflate = (bits & 1) != 0;
  Pair pair{nullptr, nullptr, FrameReader({.compressed = deflate})};
  if (!deflate) return pair;
  DeflateOptions options;
  options.level = (bits & 2) != 0 ? 9 : 1;
  options.threshold_bytes = (bits & 4) != 0 ? 32 : 0;
  DeflateParameters agreed;
  agreed.server_no_context_takeover = (bits & 8) != 0;
  agreed.server_max_window_bits = (bits & 16) != 0 ? 15 : 9;
  pair.session = std::make_unique<DeflateSession>(
      Role::kServer, options, agreed, DeflateReservation::Of(workspace.budget(), Worst()), workspace);
  pair.peer = std::make_unique<DeflateSession>(Role::kClient, options, agreed,
                                               DeflateReservation::Of(peers.budget(), Worst()), peers);
  return pair;
}

// What the peer makes of the frames; they are good to the last byte.
void CheckFrames(const SharedFrames& frames, Pair& pair, const std::vector<Message>& expected) {
  std::vector<uint8_t> bytes(frames.bytes.begin(), frames.bytes.end());
  std::span<uint8_t> rest(bytes);
  MessageLimits limits;
  limits.validate_utf8 = false;
  MessageAssembler assembler(limits);
  uint64_t inflated = 0;
  uint64_t deflated = 0;
  for (const Message& message : expected) {
    FramePiece piece;
    REQUIRE(pair.reader.Next(rest, piece) == FrameReader::Event::kData);
    REQUIRE(piece.first && piece.last && piece.opcode == message.opcode && !piece.masked);
    const auto status = pair.peer == nullptr ? assembler.Feed(piece) : pair.peer->Receive(piece, assembler);
    REQUIRE(status == MessageAssembler::Status::kComplete);
    REQUIRE(std::ranges::equal(assembler.view(), std::span(message.payload),
                               [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }));
    if (piece.compressed) {
      inflated += message.payload.size();
      deflated += piece.size;
    }
    assembler.Reset();
  }
  REQUIRE(rest.empty() && frames.inflated == inflated && frames.deflated == deflated);
}

bool Share(const Pair& a, const Pair& b) {
  if (a.session == nullptr || b.session == nullptr) return a.session == b.session;
  return a.session->sharing().has_value() && a.session->sharing() == b.session->sharing();
}

}  // namespace

void FuzzOne(Input input) {
  // Small ones: without room for a compressor messages are sent as they are.
  DeflateBudget budget(input.Flag() ? SIZE_MAX : 8 * Worst() + size_t{4096} * input.Byte());
  DeflateBudget peers_budget;
  {
    DeflateWorkspace workspace(budget);
    DeflateWorkspace peers(peers_budget);
    std::vector<Pair> pairs;
    for (size_t count = 1 + input.Below(5); count > 0; --count) {
      pairs.push_back(MakePair(input, workspace, peers));
    }
    SharedMessages messages;
    std::vector<Message> expected;
    while (!input.empty()) {
      const uint8_t step = input.Byte();
      if (step % 4 != 0) {
        Message message{(step & 4) != 0 ? Opcode::kText : Opcode::kBinary, {}};
        // Long ones too, for which memory is not kept.
        const size_t size = step >= 240 ? size_t{6000} * input.Byte() : input.Below(100);
        message.payload =
            step % 4 == 1 ? input.Take(size % 100) : std::string(size, static_cast<char>('a' + step % 3));
        messages.Add(message.opcode,
                     {reinterpret_cast<const uint8_t*>(message.payload.data()), message.payload.size()});
        expected.push_back(std::move(message));
        REQUIRE(messages.count() == expected.size());
        continue;
      }
      // Those without compression get it with their frames, and nobody else does.
      const auto lent = (step & 16) != 0 && !expected.empty() ? LentMemory::Copy(messages.frames()) : nullptr;
      messages.Lend(lent);
      std::vector<SharedFrames> given;
      for (Pair& pair : pairs) {
        given.push_back(messages.FramesFor(pair.session.get()));
        CheckFrames(given.back(), pair, expected);
        REQUIRE(given.back().lent == (pair.session == nullptr ? lent : nullptr));
        for (size_t n = 0; n + 1 < given.size(); ++n) {
          REQUIRE((given[n].owner == given.back().owner) == Share(pairs[n], pair));
        }
      }
      messages.Clear();
      REQUIRE(messages.empty());
      // They are the caller's, whatever comes then.
      const std::string before(given[0].bytes.begin(), given[0].bytes.end());
      messages.Add(Opcode::kText, {reinterpret_cast<const uint8_t*>("other"), 5});
      REQUIRE(messages.frames().size() == 7);
      const SharedFrames other = messages.FramesFor(nullptr);
      REQUIRE(other.bytes.size() == 7 && other.lent == nullptr);
      REQUIRE(before == std::string(given[0].bytes.begin(), given[0].bytes.end()));
      messages.Clear();
      expected.clear();
    }
  }
  REQUIRE(budget.used() == 0 && peers_budget.used() == 0);
}

}  // namespace ohws::fuzz
