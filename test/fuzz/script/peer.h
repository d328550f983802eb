// The other end of one connection of the engine's: what the script lets it say, and a judge of what the
// engine says to it, which has to be legal to the last byte.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/tls.h"
#include "protocol/frame_reader.h"

namespace ohws::fuzz {

class Peer {
 public:
  // `is_client`: the engine is the server. `tls` is null for none, and outlives it.
  Peer(int fd, bool is_client, bool netstack, ssl_ctx_st* tls);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  bool is_client() const { return is_client_; }
  // The request or answer that it was sent, as far as it has come.
  const std::string& head() const { return head_; }

  // Says it as soon as the kernel takes it; forgets it if too much is waiting already.
  void Write(std::string_view bytes);
  // The same beneath TLS.
  void WriteBelow(std::string_view bytes) const;
  // Of its own accord: goes on with the TLS handshake, and with what waits.
  void GoOn();
  // Waits so long for the first byte.
  void Read(int wait_ms = 0);
  // Ends its half: TLS alone, or TCP too.
  void End(bool tcp);
  void Reset();

 private:
  // Bytes taken or given; 0 for the end or an error, -1 for nothing now.
  ptrdiff_t Receive(std::span<uint8_t> into);
  ptrdiff_t Send(std::string_view bytes);
  ptrdiff_t TlsResult(int result) const;
  void Judge(std::span<uint8_t> bytes);

  struct Deleter {
    void operator()(ssl_st* ssl) const;
  };

  int fd_;
  const bool is_client_;
  const bool netstack_;  // the engine's rules
  std::unique_ptr<ssl_st, Deleter> ssl_;
  std::string waiting_;
  bool upgraded_ = false;
  bool closed_ = false;  // by a close frame
  std::string head_;
  FrameReader reader_;
};

}  // namespace ohws::fuzz
