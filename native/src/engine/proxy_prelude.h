// An accepted socket of a trusted proxy before its first byte for us: the header of the PROXY protocol is
// read from it, and not a byte more; then it goes the way of every accepted socket. Engine thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/listening_socket.h"
#include "engine/loop.h"
#include "protocol/proxy_header.h"
#include "protocol/timing_wheel.h"

namespace ohws {

class Core;
class ServerListener;

class ProxyPrelude final : public SocketHandler, private Timer {
 public:
  // What became of it: OnPrelude of the listener is told once, and may destroy it.
  enum class End : uint8_t {
    kComplete,
    kMalformed,
    kGone,     // the proxy has ended the connection
    kTimeout,  //
  };

  // The descriptor is its own from now on; `peer` is the proxy.
  ProxyPrelude(Core& core, ServerListener& listener, int fd, Peer peer, uint64_t timeout_ms);
  ProxyPrelude(const ProxyPrelude&) = delete;
  ProxyPrelude& operator=(const ProxyPrelude&) = delete;
  // Closes the descriptor, unless that was released.
  ~ProxyPrelude();

  // The descriptor is the caller's now, and nobody watches it.
  int Release();
  const Peer& peer() const { return peer_; }
  const std::optional<IpAddress>& client() const { return header_.client(); }

  // From the loop.
  void OnSocketEvent(bool readable, bool ended) override;

 private:
  // It takes too long.
  void OnDue(uint64_t now_ms) override;

  Core& core_;
  ServerListener& listener_;
  int fd_;
  const Peer peer_;
  ProxyHeader header_;
};

}  // namespace ohws
