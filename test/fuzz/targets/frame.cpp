// Headers are read as they were written, masking is what RFC 6455 §5.3 says at any offset, and keys are the
// source's bytes in order.
#include "protocol/frame.h"

#include "fuzz.h"
#include "protocol/frame_reader.h"

namespace ohws::fuzz {
namespace {

// Of MaskKeySource: counts, and fails when told to. It has no argument of its own.
struct Randomness {
  uint8_t next = 0;
  bool works = true;
};
Randomness randomness;

bool Fill(uint8_t* out, size_t size) {
  for (size_t i = 0; randomness.works && i < size; ++i) out[i] = randomness.next++;
  return randomness.works;
}

}  // namespace

void FuzzOne(Input input) {
  constexpr Opcode kOpcodes[] = {Opcode::kText, Opcode::kBinary, Opcode::kPing, Opcode::kPong,
                                 Opcode::kClose};
  const Opcode opcode = kOpcodes[input.Below(std::size(kOpcodes))];
  const bool control = opcode >= Opcode::kClose;
  const uint8_t bits = input.Byte();
  const bool fin = control || (bits & 1) != 0;
  const bool masked = (bits & 2) != 0;
  const bool compressed = !control && (bits & 4) != 0;
  const uint64_t length =
      control ? input.Below(kMaxControlPayloadBytes + 1) : input.Long() >> (1 + input.Below(63));
  uint8_t key[kMaskKeyBytes];
  for (uint8_t& byte : key) byte = input.Byte();
  const size_t offset = input.Byte();
  const std::string payload = input.Rest();

  std::vector<uint8_t> header(FrameHeaderBytes(length, masked));
  REQUIRE(WriteFrameHeader(header.data(), opcode, fin, length, masked ? key : nullptr, compressed) ==
          header.size());
  FrameReader reader({.peer_masks = masked, .compressed = compressed});
  FramePiece piece;
  std::vector<uint8_t> wire = header;
  wire.insert(wire.end(), control ? length : length == 0 ? 0 : 1, 'x');
  std::span<uint8_t> rest(wire);
  const FrameReader::Event event = reader.Next(rest, piece);
  REQUIRE(event == (control ? FrameReader::Event::kControl : FrameReader::Event::kData));
  REQUIRE(piece.opcode == opcode && piece.size + piece.remaining == length);
  if (!control) {
    REQUIRE(piece.masked == masked && piece.compressed == compressed &&
            piece.last == (fin && piece.remaining == 0));
    REQUIRE(!masked || std::equal(key, key + kMaskKeyBytes, piece.key));
  }

  std::string expected = payload;
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] = static_cast<char>(static_cast<uint8_t>(expected[i]) ^ key[(i + offset) % kMaskKeyBytes]);
  }
  std::vector<uint8_t> out(payload.size());
  MaskCopy(out.data(), reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), key, offset);
  REQUIRE(std::equal(out.begin(), out.end(), reinterpret_cast<const uint8_t*>(expected.data())));
  MaskCopy(out.data(), out.data(), out.size(), key, offset);
  REQUIRE(std::equal(out.begin(), out.end(), reinterpret_cast<const uint8_t*>(payload.data())));

  randomness = {};
  MaskKeySource keys(Fill);
  uint8_t next = 0;
  for (int i = 0; i < 600; ++i) {
    randomness.works = i % 7 != static_cast<int>(offset % 7);
    uint8_t drawn[kMaskKeyBytes];
    if (!keys.Next(drawn)) {
      REQUIRE(!randomness.works);
      continue;
    }
    for (const uint8_t byte : drawn) REQUIRE(byte == next++);
  }
}

}  // namespace ohws::fuzz
