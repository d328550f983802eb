#include "engine/listening_socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "engine/posix.h"

namespace ohws {

namespace {

constexpr size_t kPathAt = offsetof(sockaddr_un, sun_path);

// 0 if it is no address.
socklen_t FillTcp(SocketAddress& address, const std::string& ip, uint16_t port) {
  if (inet_pton(AF_INET, ip.c_str(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    return sizeof(address.v4);
  }
  if (inet_pton(AF_INET6, ip.c_str(), &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    return sizeof(address.v6);
  }
  return 0;
}

// 0 if there is no room for it. A file's name has its NUL behind, an abstract one before.
socklen_t FillLocal(SocketAddress& address, const ListenAddress& where) {
  const size_t size = where.path.size() + (where.is_abstract() ? 0 : 1);
  if (size > sizeof(address.local.sun_path)) return 0;
  address.local.sun_family = AF_UNIX;
  where.path.copy(address.local.sun_path, where.path.size());
  return static_cast<socklen_t>(kPathAt + size);
}

std::string LocalName(int fd) {
  SocketAddress address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, &address.any, &size) != 0 || size <= kPathAt) return "unix:";
  std::string name(address.local.sun_path, size - kPathAt);
  if (name.front() == '\0') return "unix:@" + name.substr(1);
  return "unix:" + name.substr(0, name.find('\0'));
}

// A socket file that nobody listens on any more, as a server leaves it that was killed. Anything else stays.
bool RemoveStaleFile(const SocketAddress& address, socklen_t size) {
  struct stat status {};
  if (lstat(address.local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const int fd = OpenStreamSocket(AF_UNIX);
  if (fd < 0) return false;
  const bool refused = connect(fd, &address.any, size) != 0 && errno == ECONNREFUSED;
  close(fd);
  return refused && unlink(address.local.sun_path) == 0;
}

std::string_view KindOf(int error_number) {
  switch (error_number) {
    case EADDRNOTAVAIL:
    case EINVAL:  // a link-local IPv6 address without its zone
    case ENAMETOOLONG:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
      return "addressNotLocal";
    case EADDRINUSE:
      return "addressInUse";
    case EACCES:
    case EPERM:
    case EROFS:
      return "permission";
    default:
      return "network";
  }
}

}  // namespace

void ListenAddress::Set(std::string_view name, std::string_view value) {
  uint32_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  if (name == "ip") {
    ip = value;
  } else if (name == "port") {
    port = static_cast<uint16_t>(number);
  } else if (name == "ipv6Only") {
    ipv6_only = number != 0;
  } else if (name == "reusePort") {
    reuse_port = number != 0;
  } else if (name == "path") {
    path = value;
  } else if (name == "mode") {
    mode = static_cast<mode_t>(number);
  } else if (name == "backlog") {
    backlog = static_cast<int>(number);
  }
}

Peer ToPeer(const SocketAddress& address, int fd) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (address.any.sa_family) {
    case AF_INET:
      inet_ntop(AF_INET, &address.v4.sin_addr, text.data(), text.size());
      return {text.data(), ntohs(address.v4.sin_port)};
    case AF_INET6: {
      const in6_addr& ip = address.v6.sin6_addr;
      const bool is_v4 = IN6_IS_ADDR_V4MAPPED(&ip);
      inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? &ip.s6_addr[12] : ip.s6_addr, text.data(), text.size());
      return {text.data(), ntohs(address.v6.sin6_port)};
    }
    case AF_UNIX:
      return {LocalName(fd), 0};
    default:
      return {};
  }
}

Peer PeerOf(int fd) {
  SocketAddress address{};
  socklen_t size = sizeof(address);
  return getpeername(fd, &address.any, &size) == 0 ? ToPeer(address, fd) : Peer();
}

std::optional<ListeningSocket> ListeningSocket::Open(const ListenAddress& address, uint16_t free_port,
                                                     Failure& failure) {
  const int family = address.is_unix()                           ? AF_UNIX
                     : address.ip.find(':') == std::string::npos ? AF_INET
                                                                 : AF_INET6;
  ListeningSocket opened(OpenStreamSocket(family));
  const bool listens =
      opened.fd_ >= 0 &&
      (address.is_unix() ? opened.ListenOnPath(address) : opened.ListenOnTcp(address, free_port)) &&
      listen(opened.fd_, address.backlog) == 0;
  if (listens) return opened;
  const int error_number = errno;
  failure = {KindOf(error_number), "listen", error_number, std::strerror(error_number)};
  return std::nullopt;
}

bool ListeningSocket::ListenOnTcp(const ListenAddress& where, uint16_t free_port) {
  SocketAddress address{};
  const socklen_t size = FillTcp(address, where.ip, where.port == 0 ? free_port : where.port);
  if (size == 0) {
    errno = EADDRNOTAVAIL;
    return false;
  }
  const int on = 1;
  const int only = where.ipv6_only ? 1 : 0;
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.any.sa_family == AF_INET6) setsockopt(fd_, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
  reuse_port_ = where.reuse_port;
  if (reuse_port_ && setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) return false;
  // Inherited by what is accepted: we gather frames ourselves.
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (bind(fd_, &address.any, size) != 0) return false;
  socklen_t bound_size = sizeof(address);
  if (getsockname(fd_, &address.any, &bound_size) != 0) return false;
  port_ = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
  return true;
}

bool ListeningSocket::ListenOnPath(const ListenAddress& where) {
  SocketAddress address{};
  const socklen_t size = FillLocal(address, where);
  if (size == 0) {
    errno = ENAMETOOLONG;
    return false;
  }
#ifndef __linux__
  if (where.is_abstract()) {
    errno = EADDRNOTAVAIL;
    return false;
  }
#endif
  // Before the file is there, so that it is never open to more than it shall be.
  if (where.mode.has_value()) fchmod(fd_, *where.mode);
  if (bind(fd_, &address.any, size) != 0) {
    const int error_number = errno;
    const bool retry = error_number == EADDRINUSE && !where.is_abstract() && RemoveStaleFile(address, size);
    errno = error_number;
    if (!retry || bind(fd_, &address.any, size) != 0) return false;
  }
  if (where.is_abstract()) return true;
  struct stat status {};
  if (lstat(where.path.c_str(), &status) != 0) return false;
  file_ = File{where.path, status.st_dev, status.st_ino};
  return !where.mode.has_value() || chmod(where.path.c_str(), *where.mode) == 0;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      port_(other.port_),
      reuse_port_(other.reuse_port_),
      file_(std::exchange(other.file_, std::nullopt)) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  End();
  fd_ = std::exchange(other.fd_, -1);
  port_ = other.port_;
  reuse_port_ = other.reuse_port_;
  file_ = std::exchange(other.file_, std::nullopt);
  return *this;
}

ListeningSocket::~ListeningSocket() { End(); }

int ListeningSocket::Release() { return std::exchange(fd_, -1); }

void ListeningSocket::End() {
  struct stat status {};
  if (file_.has_value() && lstat(file_->path.c_str(), &status) == 0 && status.st_dev == file_->device &&
      status.st_ino == file_->inode) {
    unlink(file_->path.c_str());
  }
  if (fd_ >= 0) close(fd_);
}

}  // namespace ohws
