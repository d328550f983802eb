#include "engine/listening_socket.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "protocol/ip_network.h"

namespace ohws {

namespace {

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
    mode = number;
  } else if (name == "backlog") {
    backlog = static_cast<int>(number);
  }
}

Peer ToPeer(const SocketAddress& address, int fd) {
  switch (address.any.sa_family) {
    case AF_INET: {
      std::array<uint8_t, 4> bytes{};
      std::memcpy(bytes.data(), &address.v4.sin_addr, bytes.size());
      return {IpAddress::V4(bytes).ToText(), ntohs(address.v4.sin_port)};
    }
    case AF_INET6:
      return {IpAddress::V6(address.v6.sin6_addr.s6_addr).ToText(), ntohs(address.v6.sin6_port)};
    case AF_UNIX:
      return {NameOfLocalSocket(fd), 0};
    default:
      return {};
  }
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
      ListenOnSocket(opened.fd_, address.backlog);
  if (listens) return opened;
  const int error_number = errno;
  failure = {KindOf(error_number), "listen", error_number, TextOfErrno(error_number)};
  return std::nullopt;
}

bool ListeningSocket::ListenOnTcp(const ListenAddress& where, uint16_t free_port) {
  SocketAddress address{};
  const socklen_t size = FillTcp(address, where.ip, where.port == 0 ? free_port : where.port);
  if (size == 0) {
    errno = EADDRNOTAVAIL;
    return false;
  }
  ReuseAddress(fd_);
  if (address.any.sa_family == AF_INET6) SetIpv6Only(fd_, where.ipv6_only);
  reuse_port_ = where.reuse_port;
  if (reuse_port_ && !SharePort(fd_)) return false;
  // Inherited by what is accepted: we gather frames ourselves.
  SetNoDelay(fd_);
  if (!BindSocket(fd_, address, size) || LocalAddressOf(fd_, address) == 0) return false;
  port_ = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
  return true;
}

bool ListeningSocket::ListenOnPath(const ListenAddress& where) {
  file_ = SocketFile::Bind(fd_, where.path, where.mode);
  return file_ != nullptr;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      port_(other.port_),
      reuse_port_(other.reuse_port_),
      file_(std::move(other.file_)) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  End();
  fd_ = std::exchange(other.fd_, -1);
  port_ = other.port_;
  reuse_port_ = other.reuse_port_;
  file_ = std::move(other.file_);
  return *this;
}

ListeningSocket::~ListeningSocket() { End(); }

int ListeningSocket::Release() { return std::exchange(fd_, -1); }

void ListeningSocket::End() {
  file_.reset();
  if (fd_ >= 0) CloseSocket(fd_);
}

}  // namespace ohws
