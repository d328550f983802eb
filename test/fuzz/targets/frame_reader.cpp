// However the bytes are cut, the reader says what a naive one says that has them all at once: the same
// frames, the same violation, found when its first byte is there.
#include "protocol/frame_reader.h"

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

using Event = FrameReader::Event;

// What was read: a line for each whole frame, one more for a frame that has not ended, one for a violation.
struct Reading {
  std::vector<std::string> frames;
  Violation violation = Violation::kNone;
  size_t bytes_until_violation = 0;
  bool operator==(const Reading&) const = default;
};

std::string Describe(uint8_t opcode, bool first, bool last, bool binary, bool compressed,
                     const std::string& payload) {
  std::string text = std::to_string(opcode);
  for (const bool flag : {first, last, binary, compressed}) text += flag ? '+' : '-';
  return text + payload;
}

Reading ReadNaively(const FrameRules& rules, const std::string& wire) {
  Reading reading;
  size_t at = 0;
  bool in_message = false;
  bool binary = false;
  bool compressed = false;
  const auto byte = [&wire](size_t index) { return static_cast<uint8_t>(wire[index]); };
  const auto fail = [&](Violation violation, size_t until) {
    reading.violation = violation;
    reading.bytes_until_violation = until;
    return reading;
  };
  while (at < wire.size()) {
    const uint8_t opcode = byte(at) & 15;
    const bool fin = (byte(at) & 0x80) != 0;
    const bool control = opcode >= 8;
    if (control && !fin) return fail(Violation::kFragmentedControl, at + 1);
    if ((opcode >= 3 && opcode <= 7) || opcode >= 11) return fail(Violation::kReservedOpcode, at + 1);
    if (!control && (opcode == 0) != in_message) return fail(Violation::kBadContinuation, at + 1);
    const bool rsv1 = (byte(at) & 0x40) != 0;
    if ((byte(at) & 0x30) != 0 || (rsv1 && !(rules.compressed && (opcode == 1 || opcode == 2))))
      return fail(Violation::kReservedBits, at + 1);
    if (wire.size() - at < 2) return reading;
    const bool masked = (byte(at + 1) & 0x80) != 0;
    if (masked != rules.peer_masks && (masked || !rules.accept_unmasked))
      return fail(Violation::kMasking, at + 2);
    uint64_t length = byte(at + 1) & 0x7f;
    if (control && length > 125) return fail(Violation::kControlTooLong, at + 2);
    const size_t length_bytes = length < 126 ? 0 : length == 126 ? 2 : 8;
    if (length_bytes == 8 && wire.size() - at > 2 && byte(at + 2) >= 0x80)
      return fail(Violation::kLengthTooLong, at + 3);
    if (wire.size() - at < 2 + length_bytes) return reading;
    if (length_bytes != 0) {
      length = 0;
      for (size_t i = 0; i < length_bytes; ++i) length = length * 256 + byte(at + 2 + i);
      const uint64_t fits_in_less = length_bytes == 2 ? 125 : 65'535;
      if (length <= fits_in_less && !rules.accept_longer_lengths)
        return fail(Violation::kLengthNotMinimal, at + 2 + length_bytes);
    }
    const size_t key = at + 2 + length_bytes;
    const size_t payload = key + (masked ? 4 : 0);
    if (wire.size() < payload) return reading;
    const size_t here = static_cast<size_t>(std::min<uint64_t>(length, wire.size() - payload));
    std::string bytes = wire.substr(payload, here);
    for (size_t i = 0; masked && i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(bytes[i] ^ wire[key + i % 4]);
    const bool first = !control && opcode != 0;
    if (first) {
      binary = opcode == 2;
      compressed = rsv1;
    }
    if (!control) in_message = !fin;
    // Of a control frame nothing is said before its end, of a data frame whatever is there.
    if (here == length) {
      reading.frames.push_back(control ? Describe(opcode, false, false, false, false, bytes)
                                       : Describe(opcode, first, fin, binary, compressed, bytes));
    } else if (!control && here != 0) {
      reading.frames.push_back(Describe(opcode, first, false, binary, compressed, bytes));
    }
    at = payload + here;
  }
  return reading;
}

Reading Read(const FrameRules& rules, const std::string& wire, uint8_t parts) {
  Reading reading;
  FrameReader reader(rules);
  reader.AcceptCompressed(rules.compressed);
  size_t fed = 0;
  FramePiece frame;  // the current data frame: what its pieces say together
  std::string payload;
  InParts(wire, parts, [&](std::string_view part) {
    // A copy of exactly these bytes, so that a step beyond them is seen.
    std::vector<uint8_t> copy(part.begin(), part.end());
    std::span<uint8_t> input(copy);
    for (;;) {
      FramePiece piece;
      const size_t before = input.size();
      const Event event = reader.Next(input, piece);
      fed += before - input.size();
      if (event == Event::kViolation) {
        reading.violation = reader.violation();
        reading.bytes_until_violation = fed;
        REQUIRE(reader.Next(input, piece) == Event::kViolation);
        return false;
      }
      if (event == Event::kNone) {
        REQUIRE(input.empty());
        return true;
      }
      std::string bytes(piece.size, '\0');
      piece.CopyTo(reinterpret_cast<uint8_t*>(bytes.data()));
      if (event == Event::kControl) {
        REQUIRE(!piece.masked && piece.size <= kMaxControlPayloadBytes);
        reading.frames.push_back(
            Describe(static_cast<uint8_t>(piece.opcode), false, false, false, false, bytes));
        continue;
      }
      REQUIRE(reader.data_remaining() == (piece.compressed ? 0 : piece.remaining));
      if (piece.masked) {
        piece.UnmaskInPlace();
        REQUIRE(!piece.masked && std::equal(bytes.begin(), bytes.end(), piece.data,
                                            [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; }));
      }
      if (piece.begins_frame) {
        REQUIRE(payload.empty());
        frame = piece;
      }
      payload += bytes;
      REQUIRE(!piece.first || piece.begins_frame);
      if (piece.remaining != 0) continue;
      reading.frames.push_back(Describe(static_cast<uint8_t>(piece.opcode), frame.first, piece.last,
                                        piece.binary, piece.compressed, payload));
      payload.clear();
    }
  });
  if (reading.violation == Violation::kNone && !payload.empty()) {
    reading.frames.push_back(Describe(static_cast<uint8_t>(frame.opcode), frame.first, false, frame.binary,
                                      frame.compressed, payload));
  }
  return reading;
}

}  // namespace

void FuzzOne(Input input) {
  const uint8_t bits = input.Byte();
  const uint8_t parts = input.Byte();
  const FrameRules rules{.peer_masks = (bits & 1) != 0,
                         .accept_unmasked = (bits & 2) != 0,
                         .accept_longer_lengths = (bits & 4) != 0,
                         .compressed = (bits & 8) != 0};
  const std::string wire = input.Rest();
  const Reading expected = ReadNaively(rules, wire);
  for (const uint8_t way : {uint8_t{0}, uint8_t{1}, parts}) REQUIRE(Read(rules, wire, way) == expected);
}

}  // namespace ohws::fuzz
