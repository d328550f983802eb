#include "wire/receive_memory.h"

#include <algorithm>
#include <functional>

namespace ohws {

namespace {

// What is read begins at a cache line.
constexpr size_t kAlign = 64;

}  // namespace

std::span<uint8_t> ReceiveMemory::Room(size_t bytes) {
  const size_t begin = (lent_bytes_ + kAlign - 1) / kAlign * kAlign;
  const size_t left = block_.size - std::min(begin, block_.size);
  if (left >= std::min(bytes, kLeastReadBytes)) {
    room_ = {block_.data.get() + begin, std::min(bytes, left)};
    return room_;
  }
  room_ = {};
  block_ = Payload::Allocate(kMostReadBytes);
  lent_bytes_ = 0;
  if (block_.data != nullptr) room_ = {block_.data.get(), std::min(bytes, block_.size)};
  return room_;
}

std::optional<ReceiveMemory::Loan> ReceiveMemory::Lend(std::span<const uint8_t> bytes) {
  if (!lends_) return std::nullopt;
  // Pointers of different objects have no order but by these.
  const std::less<const uint8_t*> before;
  const uint8_t* const begin = room_.data();
  if (before(bytes.data(), begin) || !before(bytes.data(), begin + room_.size())) return std::nullopt;
  const auto offset = static_cast<size_t>(bytes.data() - block_.data.get());
  const size_t end = offset + bytes.size();
  if (bytes.size() < (end - lent_bytes_) / kLeastLentPart) return std::nullopt;
  const bool first = lent_bytes_ == 0;
  lent_bytes_ = end;
  return Loan{static_cast<uint32_t>(offset), first ? block_.Share() : Payload{}};
}

}  // namespace ohws
