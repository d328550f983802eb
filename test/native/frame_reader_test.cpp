// Frames in: every split of the input gives the same frames, each violation is found at its first byte, and
// nothing is read behind it.
#include "protocol/frame_reader.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"

namespace ohws {
namespace {

using check::Random;
using Event = FrameReader::Event;

constexpr FrameRules kFromServer{};
constexpr FrameRules kFromClient{.peer_masks = true};

std::string Frame(uint8_t first, std::string_view payload, bool masked = false) {
  uint8_t header[kMaxFrameHeaderBytes];
  const uint8_t key[kMaskKeyBytes] = {0x12, 0x34, 0x56, 0x78};
  const size_t size = WriteFrameHeader(header, Opcode::kBinary, true, payload.size(), masked ? key : nullptr);
  std::string frame(reinterpret_cast<char*>(header), size);
  frame[0] = static_cast<char>(first);
  std::string body(payload);
  if (masked && !body.empty()) {
    auto* bytes = reinterpret_cast<uint8_t*>(body.data());
    MaskCopy(bytes, bytes, body.size(), key, 0);
  }
  return frame + body;
}

std::string Broken(Violation violation) {
  return std::string("!").append(std::to_string(static_cast<int>(violation)));
}

std::string Control(int opcode, const std::string& payload) {
  return std::string("c").append(std::to_string(opcode)).append(":").append(payload);
}

// What a reader says of `wire`, which it gets in steps of up to `step` bytes: "t:text", "b:bytes", "c9:ping",
// "!3".
std::vector<std::string> Read(FrameRules rules, std::string wire, size_t step) {
  FrameReader reader(rules);
  std::vector<std::string> said;
  std::string message;
  for (size_t at = 0; at < wire.size(); at += step) {
    const size_t count = std::min(step, wire.size() - at);
    std::span<uint8_t> input(reinterpret_cast<uint8_t*>(wire.data()) + at, count);
    FramePiece piece;
    for (Event event = reader.Next(input, piece); event != Event::kNone; event = reader.Next(input, piece)) {
      if (event == Event::kViolation) {
        said.push_back(Broken(reader.violation()));
        return said;
      }
      std::string bytes(piece.size, '\0');
      piece.CopyTo(reinterpret_cast<uint8_t*>(bytes.data()));
      if (event == Event::kControl) {
        said.push_back(Control(static_cast<int>(piece.opcode), bytes));
        continue;
      }
      if (piece.first) message.clear();
      message += bytes;
      if (piece.last) said.push_back((piece.binary ? "b:" : "t:") + message);
    }
    CHECK(input.empty());
  }
  return said;
}

TEST(every_split_gives_the_same_frames) {
  Random random(1);
  const std::string large(70'000, 'x');
  for (const bool masked : {false, true}) {
    const std::string wire = Frame(0x81, "hello", masked) + Frame(0x82, "", masked) +
                             Frame(0x89, "ping", masked) + Frame(0x01, "one ", masked) +
                             Frame(0x8a, std::string(125, 'p'), masked) + Frame(0x00, "", masked) +
                             Frame(0x80, "two", masked) + Frame(0x82, large, masked) +
                             Frame(0x81, std::string(126, 'm'), masked) + Frame(0x88, "\x03\xe8", masked);
    const FrameRules rules = masked ? kFromClient : kFromServer;
    const std::vector<std::string> expected = {"t:hello",
                                               "b:",
                                               "c9:ping",
                                               Control(10, std::string(125, 'p')),
                                               "t:one two",
                                               std::string("b:").append(large),
                                               std::string("t:").append(126, 'm'),
                                               "c8:\x03\xe8"};
    for (const size_t step : {1, 2, 3, 7, 64, 1000, 100'000}) CHECK(Read(rules, wire, step) == expected);
    for (int n = 0; n < 50; ++n) CHECK(Read(rules, wire, 1 + random.Below(300)) == expected);
  }
}

TEST(violations_are_found_at_their_first_byte) {
  struct Case {
    FrameRules rules;
    std::string wire;
    Violation violation;
  };
  const Case cases[] = {
      {kFromServer, "\x09", Violation::kFragmentedControl},
      {kFromServer, "\x83", Violation::kReservedOpcode},
      {kFromServer, "\x8b", Violation::kReservedOpcode},
      {kFromServer, "\x80", Violation::kBadContinuation},
      {kFromServer, Frame(0x01, "a") + "\x81", Violation::kBadContinuation},
      {kFromServer, "\xc1", Violation::kReservedBits},
      {kFromServer, "\xa2", Violation::kReservedBits},
      {kFromServer, "\x81\x80", Violation::kMasking},
      {kFromClient, "\x81\x01", Violation::kMasking},
      {kFromServer, "\x89\x7e", Violation::kControlTooLong},
      {kFromServer, "\x82\x7f\x80", Violation::kLengthTooLong},
      {kFromServer, std::string("\x82\x7e\x00\x7d", 4), Violation::kLengthNotMinimal},
      {kFromServer, std::string("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10),
       Violation::kLengthNotMinimal},
  };
  for (const Case& given : cases) {
    for (const size_t step : {size_t{1}, given.wire.size()}) {
      const std::vector<std::string> said = Read(given.rules, given.wire + "rest", step);
      CHECK(!said.empty() && said.back() == Broken(given.violation));
      CHECK(Read(given.rules, given.wire.substr(0, given.wire.size() - 1), step).empty() ||
            given.wire.size() > 10 || given.violation == Violation::kBadContinuation);
    }
  }
}

TEST(what_the_rules_allow) {
  CHECK(Read({.peer_masks = true, .accept_unmasked = true}, Frame(0x81, "a"), 1).front() == "t:a");
  const std::string longer("\x82\x7e\x00\x01x", 5);
  CHECK(Read({.accept_longer_lengths = true}, longer, 1).front() == "b:x");
}

TEST(rsv1_marks_compressed_messages_where_one_begins) {
  for (int byte = 0; byte < 256; ++byte) {
    if ((byte & 0x80) == 0 || (byte & 0x70) == 0) continue;
    const bool allowed = (byte & 0x70) == 0x40 && ((byte & 0x0f) == 1 || (byte & 0x0f) == 2);
    std::string wire(1, static_cast<char>(byte));
    wire += std::string("\x01z", 2);
    FrameReader reader({.compressed = true});
    FramePiece piece;
    std::span<uint8_t> input(reinterpret_cast<uint8_t*>(wire.data()), wire.size());
    const Event event = reader.Next(input, piece);
    CHECK_EQ(event == Event::kData && piece.compressed, allowed);
  }
}

TEST(nothing_is_read_behind_a_violation) {
  FrameReader reader(kFromServer);
  std::string wire = "\x83";
  wire += Frame(0x81, "a");
  std::span<uint8_t> input(reinterpret_cast<uint8_t*>(wire.data()), wire.size());
  FramePiece piece;
  CHECK(reader.Next(input, piece) == Event::kViolation);
  CHECK(reader.Next(input, piece) == Event::kViolation);
}

}  // namespace
}  // namespace ohws
