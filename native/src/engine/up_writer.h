// The way up: everything that JavaScript is to be told goes through here, in order. Records go into the ring;
// large payloads go beside it. When the ring is full, or JavaScript has too many large payloads to fetch,
// records wait in an overflow list, and nothing more is read from any connection until there is room. So what
// waits is bounded by one buffer of input, not by what peers send. Engine thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "wire/payload_table.h"
#include "wire/receive_memory.h"
#include "wire/record.h"
#include "wire/ring.h"

namespace ohws {

// Why an operation failed; the words that lib/transport.ts knows, and raw detail.
struct Failure {
  std::string_view kind;   // static text: "network", "file", ...
  std::string_view phase;  // static text: "connect", "tls", ...
  int error_number = 0;    // errno, 0 if there is none
  std::string detail;

  void AppendTo(StringListWriter& strings) const;
};

class UpWriter {
 public:
  // Messages of this size and more go beside the ring.
  static constexpr size_t kLargeMessageBytes = 64 * 1024;
  // Large payloads that JavaScript has not fetched yet may hold so many bytes (one more is always let
  // through).
  static constexpr size_t kMaxBesideBytes = 32 * 1024 * 1024;

  // What waits because of refusals and connections that came and went, not because of messages.
  static constexpr size_t kMaxWaitingRecords = 100'000;
  // So much room there is before anything is read.
  static constexpr uint32_t kRoomToRead = 494 * 1024;

  UpWriter(RingMemory ring, PayloadTable& payloads, std::function<void()> doorbell)
      : ring_(ring), lent_read_(ring.lent_read()), payloads_(payloads), doorbell_(std::move(doorbell)) {}

  void Post(UpKind kind, uint32_t id, uint32_t arg = 0, uint16_t aux = 0, uint8_t flags = 0,
            std::string_view payload = {});

  // Room for a message's bytes in the ring itself, or nullptr if there is none now. The caller fills it and
  // commits, before anything else is posted; or does not, and nothing has happened.
  uint8_t* Reserve(uint32_t size) { return overflow_.empty() ? ring_.TryReserve(size) : nullptr; }
  void Commit(UpKind kind, uint8_t flags, uint32_t id, uint32_t size) {
    ring_.Commit({static_cast<uint8_t>(kind), flags, 0, id, size, 0});
    if (ring_.unpublished() >= kPublishBytes) Publish();
  }

  // One message, copied.
  void PostMessage(uint32_t id, bool binary, bool ascii_only, std::string_view bytes);
  // One large message, handed over.
  void PostLargeMessage(uint32_t id, bool binary, bool ascii_only, Payload payload);

  // Whether a binary message of this size is lent where JavaScript gets views: a smaller one would keep much
  // memory for little, a larger one gathers in memory of its own.
  static bool Lends(size_t size) { return size >= kLeastLentBytes && size < kLargeMessageBytes; }
  // One binary message that was lent.
  void PostLentMessage(uint32_t id, ReceiveMemory::Loan loan, uint32_t size);

  // May a buffer of input be read: is there room for what it is likely to bring? If not, JavaScript will ring
  // when it has made some.
  bool HasRoom();

  // Moves what waits into the ring as far as there is room. True if nothing waits now.
  bool Flush();
  bool overflowing() const { return !overflow_.empty(); }
  // So much waits that nobody new should come in.
  bool overwhelmed() const { return overflow_.size() > kMaxWaitingRecords; }
  // Bytes that JavaScript has not dealt with: in the ring and lent; or with what it has not fetched from
  // beside it, to which the whole block of a loan belongs for that time.
  uint32_t unread_bytes() const { return ring_.unread() + unread_lent_bytes(); }
  uint64_t waiting_bytes() const { return uint64_t{unread_bytes()} + payloads_.bytes(); }
  bool published() const { return ring_.unpublished() == 0; }
  // Shows JavaScript what was written, and wakes it if it sleeps. Happens by itself after kPublishBytes, so
  // that JavaScript works on the first messages of a turn while the last are still being read.
  void Publish() {
    lent_published_ = lent_bytes_;
    if (ring_.Publish()) doorbell_();
  }

 private:
  struct Waiting {
    RecordHeader header;
    std::string bytes;  // payload of the record
    Payload payload;    // what goes beside the ring and has no token yet, if anything
  };

  bool TryWrite(const RecordHeader& header, std::string_view bytes);
  // The same with a payload beside the ring, if there is one; gives it back if there is no room.
  bool TryWrite(Waiting& record);
  void WriteOrWait(Waiting record);

  static constexpr size_t kLeastLentBytes = 512;
  static constexpr uint32_t kPublishBytes = 16 * 1024;

  uint32_t unread_lent_bytes() const { return lent_bytes_ - lent_read_.load(); }

  RingProducer ring_;
  const AtomicRef<uint32_t> lent_read_;  // what JavaScript has dealt with of lent_bytes_
  PayloadTable& payloads_;
  const std::function<void()> doorbell_;
  std::deque<Waiting> overflow_;
  // Free-running counts, as in the ring.
  uint32_t lent_bytes_ = 0;
  uint32_t lent_published_ = 0;
};

}  // namespace ohws
