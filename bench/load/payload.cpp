#include "payload.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>

namespace ohws::bench {
namespace {

constexpr size_t kVariantBytes = size_t{2} << 20;
constexpr size_t kMinVariants = 2;
constexpr size_t kMaxVariants = 256;

// Bytes of a header with the shortest form of the length, without a key (RFC 6455 §5.2).
size_t WriteHeader(uint8_t opcode, uint64_t size, char* out) {
  const size_t length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  out[0] = static_cast<char>(0x80 | opcode);
  out[1] = static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (size_t i = 0; i < length_bytes; ++i) {
    out[2 + i] = static_cast<char>(size >> (8 * (length_bytes - 1 - i)));
  }
  return 2 + length_bytes;
}

std::vector<char> MakeTable(Kind kind, size_t bytes, std::mt19937_64& random) {
  std::vector<char> table(bytes);
  for (size_t i = 0; i < bytes; ++i) {
    const uint64_t drawn = random();
    const char letter = static_cast<char>(' ' + drawn % 95);  // the printable ones
    if (kind == Kind::kText) {
      table[i] = letter;
    } else if (kind == Kind::kBinary) {
      table[i] = static_cast<char>(drawn);
    } else if (i % 4 == 0) {
      table[i] = letter;
    } else {  // U+4000 to U+7FFF: all of it encoded in three bytes
      const uint64_t high = 0xe4 + drawn % 4;
      const uint64_t low = 0x80 + drawn % 64;
      table[i] = static_cast<char>(i % 4 == 1 ? high : low);
    }
  }
  return table;
}

}  // namespace

Payload::Payload(Kind kind, size_t size) : kind_(kind), size_(size) {
  header_bytes_ = WriteHeader(opcode(), size, echo_header_.data());
  sent_header_ = echo_header_;
  sent_header_[1] = static_cast<char>(static_cast<uint8_t>(sent_header_[1]) | 0x80);

  const size_t variants = std::bit_floor(std::clamp(kVariantBytes / size, kMinVariants, kMaxVariants));
  variant_mask_ = static_cast<uint32_t>(variants - 1);

  std::random_device device;
  std::mt19937_64 random((uint64_t{device()} << 32) | device());
  table_ = MakeTable(kind, body_bytes() + variants * kVariantStep, random);
  masked_.resize(variants * body_bytes() + 1);  // not empty where messages are marks alone
  for (size_t variant = 0; variant < variants; ++variant) {
    const uint32_t key = device();
    keys_.push_back(key);
    std::array<char, 4> key_bytes{};
    std::memcpy(key_bytes.data(), &key, sizeof(key));
    const char* const body = table_.data() + variant * kVariantStep;
    char* const masked = masked_.data() + variant * body_bytes();
    for (size_t i = 0; i < body_bytes(); ++i) {
      masked[i] = static_cast<char>(body[i] ^ key_bytes[i % 4]);  // the mark is a multiple of four
    }
  }
}

void Payload::WriteHead(uint32_t connection, uint32_t sequence, char* out) const {
  const uint32_t key = keys_[Variant(connection, sequence)];
  const uint64_t wide_key = (uint64_t{key} << 32) | key;
  const std::array<uint64_t, 2> mark = {Letters(connection) ^ wide_key, Letters(sequence) ^ wide_key};
  std::memcpy(out, sent_header_.data(), header_bytes_);
  std::memcpy(out + header_bytes_, &key, sizeof(key));
  std::memcpy(out + header_bytes_ + sizeof(key), mark.data(), sizeof(mark));
}

}  // namespace ohws::bench
