// permessage-deflate: messages to DEFLATE and back (RFC 7692 §7.2) over zlib. One thread at a time; a
// DeflateSession belongs to one connection, a DeflateWorkspace to the engine thread of many.
//
// Memory: a connection that has agreed on compression reserves its decompressor's worst case, so that what
// the peer sends can always be read; compressors take theirs when there is something to compress, and where
// the budget has none left the message is sent as it is, which RFC 7692 §6 allows at any time. Whatever a
// message inflates to is judged by its MessageAssembler piece by piece, before there is memory for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "protocol/close_code.h"
#include "protocol/deflate_budget.h"
#include "protocol/deflate_negotiation.h"
#include "protocol/message_assembler.h"
#include "wire/payload_table.h"

struct z_stream_s;

namespace ohws {

// What has been agreed on for the messages of one side.
struct DeflateDirection {
  uint8_t window_bits;
  bool keeps_context;  // from one message to the next
};

// Turns messages into DEFLATE data without the tail that RFC 7692 §7.2.1 has removed.
class Compressor {
 public:
  struct Settings {
    uint8_t window_bits;  // 8–15
    uint8_t level;
    uint8_t memory_level;
    auto operator<=>(const Settings&) const = default;
  };

  // Null if the budget or the system has no memory for it.
  static std::unique_ptr<Compressor> Make(const Settings& settings, DeflateBudget& budget);
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor();

  // One whole message, not empty. Empty data if there is no memory: the context is lost then.
  Payload Compress(std::span<const uint8_t> message, bool keep_context);

 private:
  explicit Compressor(std::unique_ptr<z_stream_s> stream);

  std::unique_ptr<z_stream_s> stream_;
};

// Takes the peer's messages apart again. Memory is held between messages only if context is kept.
class Decompressor {
 public:
  // Most that one with this window ever holds.
  static constexpr size_t MaxBytes(uint8_t window_bits) {
    return (size_t{1} << window_bits) + size_t{12} * 1024;
  }

  explicit Decompressor(DeflateDirection direction);
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor();

  // Hands what this piece (unmasked) of a compressed message inflates to on to the assembler, in pieces of up
  // to `scratch`. kCorrupt if the message is no DEFLATE data or ends in the middle of it.
  MessageAssembler::Status Feed(const FramePiece& chunk, std::span<uint8_t> scratch,
                                MessageAssembler& assembler);

  // All that it has written so far: what was inflated, and windows that were moved.
  uint64_t inflated_bytes() const { return inflated_bytes_; }
  size_t held_bytes() const { return memory_.used(); }
  size_t max_bytes() const { return MaxBytes(direction_.window_bits); }

 private:
  enum class Step : uint8_t { kMore, kAllTaken, kCorrupt, kNoMemory };

  bool Open();
  void Close();
  Step Inflate();
  bool Continue();
  bool AtMessageEnd() const;

  const DeflateDirection direction_;
  DeflateBudget memory_;                // its own, as large as what is reserved for it
  std::unique_ptr<z_stream_s> stream_;  // null while nothing is held
  uint64_t inflated_bytes_ = 0;
};

// What the connections of one thread share.
class DeflateWorkspace {
 public:
  explicit DeflateWorkspace(DeflateBudget& budget) : budget_(budget) {}

  DeflateBudget& budget() { return budget_; }
  // Memory to inflate into.
  std::span<uint8_t> scratch();
  // By all decompressors of the thread, as they count.
  uint64_t inflated_bytes() const { return inflated_bytes_; }
  void CountInflated(uint64_t bytes) { inflated_bytes_ += bytes; }
  // The one compressor for all connections that keep no context; null as Compressor::Make().
  Compressor* SharedCompressor(const Compressor::Settings& settings);

 private:
  static constexpr size_t kScratchBytes = size_t{64} * 1024;

  DeflateBudget& budget_;
  std::vector<uint8_t> scratch_;  // empty until it is needed
  uint64_t inflated_bytes_ = 0;
  std::map<Compressor::Settings, std::unique_ptr<Compressor>> shared_;
};

// Both directions of one connection.
class DeflateSession {
 public:
  // `reservation` has the decompressor's MaxBytes() at least; what is more goes back. `workspace` outlives
  // the session.
  DeflateSession(Role role, const DeflateOptions& options, const DeflateParameters& agreed,
                 DeflateReservation reservation, DeflateWorkspace& workspace);

  // The next piece of a message, compressed or not. Unmasked, if it is compressed.
  MessageAssembler::Status Receive(const FramePiece& piece, MessageAssembler& assembler);

  // The message as it is to be sent with RSV1; empty data if it is to be sent as it is.
  Payload Compress(std::span<const uint8_t> message);

  // Sessions of one workspace with the same compress a message to the same bytes.
  struct Sharing {
    Compressor::Settings settings;
    size_t threshold_bytes;
    bool operator==(const Sharing&) const = default;
  };
  // Nothing where context is kept.
  std::optional<Sharing> sharing() const {
    return out_.keeps_context ? std::nullopt : std::optional<Sharing>({settings_, threshold_bytes_});
  }

 private:
  DeflateReservation reservation_;
  DeflateWorkspace& workspace_;
  const size_t threshold_bytes_;
  const DeflateDirection out_;
  const Compressor::Settings settings_;
  Decompressor decompressor_;
  std::unique_ptr<Compressor> compressor_;  // its own, if context is kept; null until it is needed
};

}  // namespace ohws
