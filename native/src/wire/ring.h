// A single-producer single-consumer byte ring over memory that somebody else owns: an ArrayBuffer that
// JavaScript made and the environment pins. One side of each ring is C++ (this file), the other TypeScript
// (`lib/ring.ts`).
//
// Memory: a head of kRingHeadBytes, then the data, a power of two. Positions are free-running 32-bit byte
// counts; what a position is past the base, modulo capacity, is its offset. The head holds, a cache line
// apart: the write position and the base (stored by the producer), the read position and how many bytes that
// records have lent are dealt with (a count like those; stored by the consumer), the consumer's state and the
// producer's state.
//
// Invariants:
//  1. write - read <= capacity, always; records lie between read and write, whole and in order.
//  2. A position is stored only after the bytes before it are written (producer), or are no longer needed
//     (consumer).
//  3. A doorbell is owed exactly when a side has published something and the other side's state says kAsleep.
//     A side that goes to sleep stores kAsleep first and looks at the ring once more afterwards; with
//     sequentially consistent accesses on both sides no wake-up is lost. TakeDoorbell() turns kAsleep into
//     kAwake, so that one sleep costs one doorbell.
//  4. A producer that finds the ring full sets its own state to kAsleep ("tell me when there is room"); the
//     consumer rings back after it has stored a new read position.
//  5. A producer that finds the ring empty after kRingRewindBytes makes its position the base: it goes on at
//     the beginning, where the processor's cache still has the memory. It stores the base before the next
//     write position; a consumer loads it behind that, and has nothing to read meanwhile.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "wire/atomic_ref.h"
#include "wire/record.h"

namespace ohws {

inline constexpr uint32_t kRingHeadBytes = 256;
inline constexpr uint32_t kRingRewindBytes = 64 * 1024;

enum class RingSide : int32_t { kAwake = 0, kAsleep = 1 };

// Where the words of the head lie, in bytes; mirrored in lib/ring.ts.
inline constexpr uint32_t kRingWriteAt = 0;
inline constexpr uint32_t kRingBaseAt = 4;
inline constexpr uint32_t kRingReadAt = 64;
inline constexpr uint32_t kRingLentReadAt = 68;
inline constexpr uint32_t kRingConsumerAt = 128;
inline constexpr uint32_t kRingProducerAt = 192;

class RingMemory {
 public:
  // `memory` is 8-byte aligned and stays valid; `bytes` is kRingHeadBytes plus a power of two.
  RingMemory(uint8_t* memory, uint32_t bytes) : memory_(memory), capacity_(bytes - kRingHeadBytes) {}

  uint32_t capacity() const { return capacity_; }
  // `distance`: of a position from the base.
  uint8_t* At(uint32_t distance) const { return memory_ + kRingHeadBytes + (distance & (capacity_ - 1)); }
  uint32_t ToEnd(uint32_t distance) const { return capacity_ - (distance & (capacity_ - 1)); }

  AtomicRef<uint32_t> write() const { return Word<uint32_t>(kRingWriteAt); }
  AtomicRef<uint32_t> base() const { return Word<uint32_t>(kRingBaseAt); }
  AtomicRef<uint32_t> read() const { return Word<uint32_t>(kRingReadAt); }
  AtomicRef<uint32_t> lent_read() const { return Word<uint32_t>(kRingLentReadAt); }
  AtomicRef<int32_t> consumer() const { return Word<int32_t>(kRingConsumerAt); }
  AtomicRef<int32_t> producer() const { return Word<int32_t>(kRingProducerAt); }

  // Invariant 3: true if the side that `state` belongs to slept, which makes the caller ring its doorbell.
  static bool TakeDoorbell(AtomicRef<int32_t> state) {
    return state.load() == static_cast<int32_t>(RingSide::kAsleep) &&
           state.exchange(static_cast<int32_t>(RingSide::kAwake)) == static_cast<int32_t>(RingSide::kAsleep);
  }

 private:
  template <typename T>
  AtomicRef<T> Word(uint32_t offset) const {
    return AtomicRef<T>(*reinterpret_cast<T*>(memory_ + offset));
  }

  uint8_t* memory_;
  uint32_t capacity_;
};

// The writing side; one thread.
class RingProducer {
 public:
  explicit RingProducer(RingMemory memory, uint32_t rewind_bytes = kRingRewindBytes)
      : memory_(memory), rewind_bytes_(rewind_bytes) {}

  // The largest payload that is worth a place in the ring: a record of this size fits once the ring is empty,
  // wherever the write position is.
  uint32_t max_payload() const { return memory_.capacity() / 2 - 2 * kRecordAlign; }

  // Room for the payload of one record; nullptr if the ring is full now. The caller fills it and commits it;
  // nothing is seen by the consumer before Publish().
  uint8_t* TryReserve(uint32_t payload_size) {
    if (position_ == published_ && position_ - base_ >= rewind_bytes_) RewindIfEmpty();
    const uint32_t need = RecordBytes(payload_size);
    const uint32_t to_end = memory_.ToEnd(position_ - base_);
    const uint32_t with_pad = need <= to_end ? need : to_end + need;
    if (!HasRoom(with_pad)) return nullptr;
    if (need > to_end) {
      const RecordHeader pad{kPad, 0, 0, 0, to_end - static_cast<uint32_t>(sizeof(RecordHeader)), 0};
      std::memcpy(memory_.At(position_ - base_), &pad, sizeof(pad));
      position_ += to_end;
    }
    return memory_.At(position_ - base_) + sizeof(RecordHeader);
  }

  // The record whose payload lies where TryReserve() said.
  void Commit(const RecordHeader& header) {
    std::memcpy(memory_.At(position_ - base_), &header, sizeof(header));
    position_ += RecordBytes(header.size);
  }

  bool TryWrite(const RecordHeader& header, std::string_view payload) {
    uint8_t* at = TryReserve(header.size);
    if (at == nullptr) return false;
    if (!payload.empty()) std::memcpy(at, payload.data(), payload.size());
    Commit(header);
    return true;
  }

  bool HasRoom(uint32_t bytes) {
    if (memory_.capacity() - (position_ - read_seen_) >= bytes) return true;
    read_seen_ = memory_.read().load();
    return memory_.capacity() - (position_ - read_seen_) >= bytes;
  }

  // Shows the consumer everything reserved so far. True if its doorbell must be rung.
  bool Publish() {
    if (position_ == published_) return false;
    published_ = position_;
    memory_.write().store(position_);
    return RingMemory::TakeDoorbell(memory_.consumer());
  }

  uint32_t unpublished() const { return position_ - published_; }
  // Bytes that the consumer has not given back.
  uint32_t unread() const { return position_ - memory_.read().load(); }

  // Invariant 4. Look for room once more after this.
  void WaitForRoom() { memory_.producer().store(static_cast<int32_t>(RingSide::kAsleep)); }

 private:
  // Invariant 5.
  void RewindIfEmpty() {
    if (memory_.read().load() != position_) return;
    base_ = position_;
    memory_.base().store(base_);
  }

  RingMemory memory_;
  uint32_t rewind_bytes_;
  uint32_t base_ = 0;
  uint32_t position_ = 0;
  uint32_t published_ = 0;
  uint32_t read_seen_ = 0;
};

// The reading side; one thread.
class RingConsumer {
 public:
  explicit RingConsumer(RingMemory memory) : memory_(memory) {}

  // The next record without its payload copied: valid, and ours to change, with the 16 bytes before it, until
  // Release(). False if there is none.
  bool Next(RecordHeader& header, uint8_t*& payload) {
    while (position_ != write_seen_ || Refresh()) {
      uint8_t* at = memory_.At(position_ - base_);
      std::memcpy(&header, at, sizeof(header));
      position_ += RecordBytes(header.size);
      if (header.kind == kPad) continue;
      payload = at + sizeof(header);
      return true;
    }
    return false;
  }

  // Gives the room of all records read so far back. True if the producer waits for it: ring its doorbell.
  uint32_t unreleased() const { return position_ - released_; }
  bool Release() {
    if (position_ == released_) return false;
    released_ = position_;
    memory_.read().store(position_);
    return RingMemory::TakeDoorbell(memory_.producer());
  }

  // Invariant 3: call when about to sleep. False if there is something to read after all; the state is then
  // awake again.
  bool TrySleep() {
    memory_.consumer().store(static_cast<int32_t>(RingSide::kAsleep));
    if (!Refresh()) return true;
    Wake();
    return false;
  }

  void Wake() { memory_.consumer().store(static_cast<int32_t>(RingSide::kAwake)); }

 private:
  bool Refresh() {
    write_seen_ = memory_.write().load();
    base_ = memory_.base().load();
    return position_ != write_seen_;
  }

  RingMemory memory_;
  uint32_t base_ = 0;
  uint32_t position_ = 0;
  uint32_t released_ = 0;
  uint32_t write_seen_ = 0;
};

}  // namespace ohws
