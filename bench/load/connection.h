// One WebSocket connection to the server: handshake, what it has sent and got back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "echo_checker.h"
#include "payload.h"
#include "transport.h"

namespace ohws::bench {

class Connection {
 public:
  enum class State : uint8_t { kOpening, kUpgrading, kOpen, kClosing, kDone };

  // Sends the messages of connection `index` and expects those that `sender` sends, which is
  // another where the server passes one connection's messages to all.
  Connection(const Payload& payload, const TlsSettings* tls, uint32_t index, uint32_t sender);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  State state() const { return state_; }
  Transport& transport() { return transport_; }
  int fd() const { return transport_.fd(); }

  // Messages handed over for sending, and those that came back complete and equal.
  uint64_t sent() const { return sent_; }
  uint64_t received() const { return checker_.messages(); }

  // Goes on with the opening until the upgrade request is sent.
  void ContinueOpening(uint16_t port, std::string_view path);

  // Takes bytes that came from the server, of the handshake or of frames.
  void Take(std::string_view bytes);

  // Hands over the next messages for sending. Flush() then sends.
  void Queue(uint64_t count) { sent_ += count; }

  // Sends what is queued, many frames at a time. True if the socket took all of it.
  bool Flush();

  void QueueClose();

  // The server has closed the TCP connection; throws Failure where that is too early.
  void OnEnd();

 private:
  bool FlushMessages();
  long SendCopied(uint64_t target);
  long SendGathered(uint64_t target);
  size_t CopyStream(uint64_t target, char* out, size_t size) const;
  bool FlushControl();
  void QueueControl(uint8_t opcode, std::string_view payload);
  [[noreturn]] void Fail(const std::string& what) const;

  const Payload* payload_;
  uint32_t index_;
  Transport transport_;
  State state_ = State::kOpening;
  std::string key_;
  std::string upgrade_response_;
  EchoChecker checker_;

  // A frame follows from its sequence number, so the position in the stream of all frames is all
  // that a partial send leaves behind.
  uint64_t sent_ = 0;
  uint64_t written_bytes_ = 0;
  bool messages_wait_ = false;  // for room; a TLS connection must go on with the same bytes
  std::string control_;         // pongs and the close frame; only sent between messages
};

}  // namespace ohws::bench
