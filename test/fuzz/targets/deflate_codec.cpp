// Compressed messages: what one side makes, the other reads, whatever was agreed on and however it is cut;
// and whatever a peer sends instead inflates to no more than is allowed. At the end no memory is held.
#include "protocol/deflate_codec.h"

#include <memory>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

using Status = MessageAssembler::Status;

struct Received {
  Status status = Status::kPartial;
  std::string message;
  bool operator==(const Received&) const = default;
};

// A whole message, in as many frames as there are in `frame_sizes`, and each of them in parts.
template <typename Take>
Received Receive(std::string wire, bool compressed, uint8_t parts, size_t frames, MessageAssembler& assembler,
                 Take take) {
  Received received;
  bool first = true;
  for (size_t frame = 0; frame < frames && received.status == Status::kPartial; ++frame) {
    const size_t from = wire.size() * frame / frames;
    const size_t bytes = wire.size() * (frame + 1) / frames - from;
    std::span<uint8_t> rest(reinterpret_cast<uint8_t*>(wire.data()) + from, bytes);
    size_t done = 0;
    const auto feed = [&](std::span<uint8_t> part) {
      // Exactly these bytes, so that a step beyond them is seen.
      const std::vector<uint8_t> copy(part.begin(), part.end());
      done += part.size();
      FramePiece piece;
      piece.data = copy.data();
      piece.size = copy.size();
      piece.remaining = bytes - done;
      piece.opcode = frame == 0 ? Opcode::kBinary : Opcode::kContinuation;
      piece.first = first;
      piece.last = frame + 1 == frames && piece.remaining == 0;
      piece.binary = true;
      piece.compressed = compressed;
      first = false;
      received.status = take(piece, assembler);
      if (received.status == Status::kComplete) {
        received.message.assign(reinterpret_cast<const char*>(assembler.view().data()),
                                assembler.view().size());
      }
      return received.status == Status::kPartial;
    };
    if (bytes == 0) {
      feed({});
    } else {
      InParts(rest, parts, feed);
    }
  }
  assembler.Reset();
  return received;
}

DeflateOptions ReadOptions(Input& input) {
  DeflateOptions options;
  options.server_max_window_bits = static_cast<uint8_t>(8 + input.Below(8));
  options.client_max_window_bits = static_cast<uint8_t>(8 + input.Below(8));
  const uint8_t bits = input.Byte();
  options.server_no_context_takeover = (bits & 1) != 0;
  options.client_no_context_takeover = (bits & 2) != 0;
  options.level = static_cast<uint8_t>(input.Below(10));
  options.memory_level = static_cast<uint8_t>(1 + input.Below(9));
  options.threshold_bytes = input.Below(64);
  return options;
}

DeflateParameters AllOf(const DeflateOptions& options) {
  return {options.server_max_window_bits, options.client_max_window_bits, options.server_no_context_takeover,
          options.client_no_context_takeover};
}

void RoundTrip(Input& input) {
  const DeflateOptions options = ReadOptions(input);
  const DeflateParameters agreed = AllOf(options);
  DeflateBudget budget(size_t{1024} * 4 * input.Byte());
  DeflateBudget reader_budget;
  {
    DeflateWorkspace workspace(budget);
    DeflateWorkspace reader_workspace(reader_budget);
    const Role role = input.Flag() ? Role::kServer : Role::kClient;
    const Role other = role == Role::kServer ? Role::kClient : Role::kServer;
    const size_t most = Decompressor::MaxBytes(kMaxWindowBits);
    DeflateSession sender(role, options, agreed, DeflateReservation::Of(reader_budget, most), workspace);
    DeflateSession reader(other, options, agreed, DeflateReservation::Of(reader_budget, most),
                          reader_workspace);
    REQUIRE(reader_budget.used() <= 2 * most);
    REQUIRE(sender.sharing().has_value() ==
            (role == Role::kServer ? agreed.server_no_context_takeover : agreed.client_no_context_takeover));
    MessageLimits limits;
    MessageAssembler assembler(limits);
    while (!input.empty()) {
      const uint8_t parts = input.Byte();
      const size_t frames = 1 + parts % 3;
      std::string message = input.Text(200);
      // Long ones, which reach back through the whole window.
      if (parts >= 128) {
        for (size_t times = input.Below(12); times > 0 && !message.empty(); --times) message += message;
        message.resize(std::min<size_t>(message.size(), 150'000));
      }
      const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(message.data()), message.size());
      const Payload payload = sender.Compress(bytes);
      REQUIRE(budget.used() <= size_t{1024} * 4 * 255);
      const bool compressed = payload.data != nullptr;
      REQUIRE(!compressed || (!message.empty() && message.size() >= options.threshold_bytes));
      const std::string wire =
          compressed ? std::string(reinterpret_cast<const char*>(payload.data.get()), payload.size) : message;
      const Received received = Receive(
          wire, compressed, parts, frames, assembler,
          [&](const FramePiece& piece, MessageAssembler& into) { return reader.Receive(piece, into); });
      REQUIRE(received.status == Status::kComplete && received.message == message);
    }
  }
  REQUIRE(budget.used() == 0 && reader_budget.used() == 0);
}

void Hostile(Input& input) {
  const DeflateDirection direction{static_cast<uint8_t>(8 + input.Below(8)), input.Flag()};
  MessageLimits limits;
  limits.max_message_bytes = 1 + input.Short();
  limits.max_fragments = input.Byte() % 4;
  std::vector<uint8_t> scratch(1 + input.Below(4096));
  Decompressor whole(direction);
  Decompressor cut(direction);
  MessageAssembler assembler(limits);
  while (!input.empty()) {
    const uint8_t parts = input.Byte();
    const size_t frames = 1 + parts % 3;
    const std::string wire = input.Text(1000);
    const auto feed = [&](Decompressor& decompressor, size_t most) {
      return [&decompressor, &scratch, &limits, most](const FramePiece& piece, MessageAssembler& into) {
        const Status status = decompressor.Feed(piece, std::span(scratch).first(most), into);
        REQUIRE(decompressor.held_bytes() <= decompressor.max_bytes());
        REQUIRE(into.held_bytes() <= limits.max_message_bytes);
        return status;
      };
    };
    const Received first = Receive(wire, true, 0, frames, assembler, feed(whole, scratch.size()));
    const Received second =
        Receive(wire, true, parts, frames, assembler, feed(cut, 1 + parts % scratch.size()));
    // Where it is cut does not decide whether it is good. What is said of a bad one is what comes up first.
    REQUIRE((first.status == Status::kComplete) == (second.status == Status::kComplete));
    REQUIRE(first.message == second.message && first.message.size() <= limits.max_message_bytes);
    REQUIRE(first.status != Status::kInvalidUtf8);
    if (first.status != Status::kComplete) return;
    if (!direction.keeps_context) REQUIRE(whole.held_bytes() == 0 && cut.held_bytes() == 0);
  }
}

}  // namespace

void FuzzOne(Input input) {
  if (input.Flag()) {
    RoundTrip(input);
  } else {
    Hostile(input);
  }
}

}  // namespace ohws::fuzz
