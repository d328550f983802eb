// One WebSocket connection to the server: socket, handshake, what it has sent and got back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "echo_checker.h"
#include "payload.h"

namespace ohws::bench {

class Connection {
 public:
  enum class State : uint8_t { kConnecting, kUpgrading, kOpen, kClosing, kDone };

  Connection(const Payload& payload, uint32_t index, uint32_t inflight);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  State state() const { return state_; }
  int fd() const { return fd_; }

  // Messages handed over for sending, and echoes that came back complete and equal.
  uint64_t sent() const { return sent_; }
  uint64_t echoed() const { return checker_.messages(); }

  void Connect(uint16_t port);
  void SendUpgradeRequest(uint16_t port, std::string_view path);

  // Takes bytes that came from the server, of the handshake or of frames.
  void Take(std::string_view bytes);

  // Hands over the next message for sending. Flush() then sends.
  void Queue(uint64_t now_ns) { queued_at_ns_[sent_++ & queued_at_mask_] = now_ns; }

  // When a message was handed over; only for those under way.
  uint64_t QueuedAt(uint64_t sequence) const { return queued_at_ns_[sequence & queued_at_mask_]; }

  // Sends what is queued, many frames at a time. True if the socket took all of it.
  bool Flush();

  void QueueClose();

  // The server has closed the TCP connection; throws Failure where that is too early.
  void OnEnd();

 private:
  bool FlushMessages();
  long SendCopied(uint64_t target);
  long SendGathered(uint64_t target);
  bool FlushControl();
  void QueueControl(uint8_t opcode, std::string_view payload);
  [[noreturn]] void Fail(const std::string& what) const;

  const Payload* payload_;
  uint32_t index_;
  int fd_ = -1;
  State state_ = State::kConnecting;
  std::string key_;
  std::string upgrade_response_;
  EchoChecker checker_;

  // A frame follows from its sequence number, so the position in the stream of all frames is all
  // that a partial send leaves behind.
  uint64_t sent_ = 0;
  uint64_t written_bytes_ = 0;
  std::string control_;                 // pongs and the close frame; only sent between messages
  std::vector<uint64_t> queued_at_ns_;  // a ring
  uint64_t queued_at_mask_;
};

}  // namespace ohws::bench
