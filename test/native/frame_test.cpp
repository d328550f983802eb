// Frame headers at every border of the length field, masking against a byte-wise reference, mask keys.
#include "protocol/frame.h"

#include <algorithm>
#include <cstring>

#include "check.h"

namespace ohws {
namespace {

using check::Random;

constexpr uint8_t kKey[kMaskKeyBytes] = {0x37, 0xfa, 0x21, 0x3d};

std::string Header(Opcode opcode, bool fin, uint64_t payload_bytes, const uint8_t* mask_key_or_null) {
  uint8_t out[kMaxFrameHeaderBytes + 1];
  std::memset(out, 0xee, sizeof(out));
  const size_t size = WriteFrameHeader(out, opcode, fin, payload_bytes, mask_key_or_null);
  CHECK_EQ(size, FrameHeaderBytes(payload_bytes, mask_key_or_null != nullptr));
  CHECK_EQ(out[size], 0xee);
  return std::string(reinterpret_cast<const char*>(out), size);
}

TEST(length_field_takes_the_shortest_form) {
  using namespace std::string_literals;
  CHECK_EQ(Header(Opcode::kText, true, 0, nullptr), "\x81\x00"s);
  CHECK_EQ(Header(Opcode::kText, true, 125, nullptr), "\x81\x7d"s);
  CHECK_EQ(Header(Opcode::kText, true, 126, nullptr), "\x81\x7e\x00\x7e"s);
  CHECK_EQ(Header(Opcode::kText, true, 65535, nullptr), "\x81\x7e\xff\xff"s);
  CHECK_EQ(Header(Opcode::kText, true, 65536, nullptr), "\x81\x7f\0\0\0\0\0\x01\0\0"s);
  CHECK_EQ(Header(Opcode::kBinary, true, (uint64_t{1} << 63) - 1, nullptr),
           "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"s);
}

TEST(header_sizes) {
  CHECK_EQ(FrameHeaderBytes(0, false), 2u);
  CHECK_EQ(FrameHeaderBytes(125, true), 6u);
  CHECK_EQ(FrameHeaderBytes(126, true), 8u);
  CHECK_EQ(FrameHeaderBytes(65536, true), kMaxFrameHeaderBytes);
}

TEST(fin_bit_and_opcodes) {
  using namespace std::string_literals;
  CHECK_EQ(Header(Opcode::kText, false, 1, nullptr), "\x01\x01"s);
  CHECK_EQ(Header(Opcode::kContinuation, false, 1, nullptr), "\x00\x01"s);
  CHECK_EQ(Header(Opcode::kContinuation, true, 1, nullptr), "\x80\x01"s);
  CHECK_EQ(Header(Opcode::kClose, true, 2, nullptr), "\x88\x02"s);
  CHECK_EQ(Header(Opcode::kPing, true, 0, nullptr), "\x89\x00"s);
  CHECK_EQ(Header(Opcode::kPong, true, 0, nullptr), "\x8a\x00"s);
}

TEST(masked_text_of_rfc_6455_5_7) {
  std::string frame = Header(Opcode::kText, true, 5, kKey);
  const std::string text = "Hello";
  uint8_t masked[5];
  MaskCopy(masked, reinterpret_cast<const uint8_t*>(text.data()), text.size(), kKey, 0);
  frame.append(reinterpret_cast<const char*>(masked), sizeof(masked));
  CHECK_EQ(frame, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

std::vector<uint8_t> MaskByteWise(const uint8_t* in, size_t size, size_t key_offset) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(in[i] ^ kKey[(key_offset + i) % 4]);
  return out;
}

TEST(mask_copy_at_every_size_offset_and_alignment) {
  Random random(1);
  const std::string source = random.Bytes(256);
  const auto* bytes = reinterpret_cast<const uint8_t*>(source.data());
  int wrong = 0;
  for (size_t size = 0; size <= 140; ++size) {
    for (size_t key_offset = 0; key_offset < 9; ++key_offset) {
      const uint8_t* in = bytes + random.Below(16);
      const size_t shift = random.Below(16);
      std::vector<uint8_t> out(shift + size + 1, 0xee);
      MaskCopy(out.data() + shift, in, size, kKey, key_offset);
      const std::vector<uint8_t> expected = MaskByteWise(in, size, key_offset);
      wrong += !std::equal(expected.begin(), expected.end(), out.begin() + static_cast<long>(shift));
      wrong += out[shift + size] != 0xee;
    }
  }
  CHECK_EQ(wrong, 0);
}

TEST(mask_copy_in_place_and_back) {
  Random random(2);
  const std::string source = random.Bytes(1001);
  std::vector<uint8_t> bytes(source.begin(), source.end());
  MaskCopy(bytes.data(), bytes.data(), bytes.size(), kKey, 3);
  CHECK(bytes == MaskByteWise(reinterpret_cast<const uint8_t*>(source.data()), source.size(), 3));
  MaskCopy(bytes.data(), bytes.data(), bytes.size(), kKey, 3);
  CHECK(std::equal(bytes.begin(), bytes.end(), source.begin(),
                   [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }));
}

TEST(mask_copy_in_pieces_equals_the_whole) {
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    const std::string source = random.Bytes(random.Below(400));
    const auto* in = reinterpret_cast<const uint8_t*>(source.data());
    std::vector<uint8_t> out(source.size());
    for (size_t at = 0; at < source.size();) {
      const size_t size = 1 + random.Below(source.size() - at);
      MaskCopy(out.data() + at, in + at, size, kKey, at);
      at += size;
    }
    CHECK(out == MaskByteWise(in, source.size(), 0));
  }
}

int fills = 0;
bool fill_works = true;

bool FillCounting(uint8_t* out, size_t size) {
  if (!fill_works) return false;
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(fills + static_cast<int>(i / 4));
  ++fills;
  return true;
}

TEST(many_keys_cost_one_call_and_none_is_given_twice) {
  fills = 0;
  fill_works = true;
  MaskKeySource source(FillCounting);
  uint8_t key[kMaskKeyBytes];
  uint8_t last = 0;
  CHECK(source.Next(key));
  CHECK_EQ(fills, 1);
  last = key[0];
  for (int i = 0; i < 200; ++i) {
    CHECK(source.Next(key));
    CHECK_EQ(key[0], static_cast<uint8_t>(last + 1));
    CHECK(key[0] == key[1] && key[1] == key[2] && key[2] == key[3]);
    last = key[0];
  }
  CHECK_EQ(fills, 1);
  for (int i = 0; i < 10'000; ++i) CHECK(source.Next(key));
  CHECK(fills > 1 && fills < 100);
}

TEST(no_key_without_randomness) {
  fills = 0;
  fill_works = false;
  MaskKeySource source(FillCounting);
  uint8_t key[kMaskKeyBytes];
  CHECK(!source.Next(key));
  CHECK(!source.Next(key));
  fill_works = true;
  CHECK(source.Next(key));
  CHECK_EQ(fills, 1);
}

}  // namespace
}  // namespace ohws
