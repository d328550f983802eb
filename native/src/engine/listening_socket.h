// Where a server listens: one socket, of TCP or of this machine only (AF_UNIX), made, bound and listened on
// here, so that the error is the operating system's; and who is at the other end of what it accepts. Engine
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/socket_file.h"
#include "engine/sockets.h"
#include "engine/up_writer.h"

namespace ohws {

// lib/transport.ts, ListenAddress.
struct ListenAddress {
  std::string ip;
  uint16_t port = 0;        // 0: a free one
  bool ipv6_only = true;    // else `::` takes IPv4 as well
  bool reuse_port = false;  // other sockets with this flag may listen there too, and the kernel shares out
  std::string path;         // of a socket file, absolute; after a NUL a name in Linux's abstract space
  std::optional<uint32_t> mode;
  int backlog = 0;

  // The option of this name (lib/engine.ts); a name that is none is ignored.
  void Set(std::string_view name, std::string_view value);

  bool is_unix() const { return !path.empty(); }
  bool is_abstract() const { return is_unix() && path.front() == '\0'; }
};

// `port` is 0 and `ip` is "unix:" and the path (after an @ the abstract name) for a peer of this machine.
struct Peer {
  std::string ip;
  uint16_t port = 0;
};

// Of the accepted socket `fd`, whose other end has this address. IPv4 is told as such also by a socket of
// both families.
Peer ToPeer(const SocketAddress& address, int fd);

class ListeningSocket {
 public:
  // Listens. `free_port` is taken where the address says 0. Nothing if it cannot be, and why.
  static std::optional<ListeningSocket> Open(const ListenAddress& address, uint16_t free_port,
                                             Failure& failure);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  // Closes the descriptor, unless that was released, and lets its file go.
  ~ListeningSocket();

  // 0 for one of this machine.
  uint16_t port() const { return port_; }
  bool reuse_port() const { return reuse_port_; }
  // The descriptor is the caller's now.
  int Release();

 private:
  explicit ListeningSocket(int fd) : fd_(fd) {}
  // errno says why not.
  bool ListenOnTcp(const ListenAddress& address, uint16_t free_port);
  bool ListenOnPath(const ListenAddress& address);
  void End();

  int fd_;
  uint16_t port_ = 0;
  bool reuse_port_ = false;
  std::unique_ptr<SocketFile> file_;
};

}  // namespace ohws
