#include "wire/payload_table.h"

#include <utility>

namespace ohws {

Payload Payload::Allocate(size_t size) {
  Payload payload;
  payload.data.reset(static_cast<uint8_t*>(std::malloc(size == 0 ? 1 : size)));
  if (payload.data != nullptr) payload.size = size;
  return payload;
}

uint32_t PayloadTable::Put(Payload payload) {
  bytes_ += payload.size;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (free_.empty()) {
    slots_.push_back(std::move(payload));
    return static_cast<uint32_t>(slots_.size() - 1);
  }
  const uint32_t token = free_.back();
  free_.pop_back();
  slots_[token] = std::move(payload);
  return token;
}

Payload PayloadTable::Take(uint32_t token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (token >= slots_.size() || slots_[token].data == nullptr) return {};
  bytes_ -= slots_[token].size;
  free_.push_back(token);
  return std::exchange(slots_[token], Payload{});
}

}  // namespace ohws
