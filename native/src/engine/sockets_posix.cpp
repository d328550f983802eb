// Sockets where they come from. Linux makes them as we want them in one call. Any thread.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/sockets.h"

namespace ohws {

namespace {

#ifndef __linux__
// -1 for -1; else the descriptor, not blocking and closed by exec.
int Prepared(int fd) {
  if (fd < 0) return fd;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}
#endif

bool Set(int socket, int level, int option, bool value) {
  const int number = value ? 1 : 0;
  return setsockopt(socket, level, option, &number, sizeof(number)) == 0;
}

int SendFlags(Follows follows) {
#ifdef __linux__
  // The end that follows pushes what MSG_MORE held back, also where the peer sent what nobody has read.
  if (follows == Follows::kEnd) return MSG_NOSIGNAL | MSG_MORE;
#else
  static_cast<void>(follows);
#endif
  return MSG_NOSIGNAL;
}

}  // namespace

int OpenStreamSocket(int family) {
#ifdef __linux__
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  return Prepared(socket(family, SOCK_STREAM, 0));
#endif
}

int AcceptSocket(int listening, SocketAddress& address) {
  socklen_t size = sizeof(address);
#ifdef __linux__
  return accept4(listening, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
  return Prepared(accept(listening, &address.any, &size));
#endif
}

void CloseSocket(int socket) { close(socket); }

bool BindSocket(int socket, const SocketAddress& address, socklen_t size) {
  return bind(socket, &address.any, size) == 0;
}

bool ListenOnSocket(int socket, int backlog) { return listen(socket, backlog) == 0; }

bool ConnectSocket(int socket, const SocketAddress& address, socklen_t size) {
  return connect(socket, &address.any, size) == 0;
}

socklen_t LocalAddressOf(int socket, SocketAddress& address) {
  socklen_t size = sizeof(address);
  return getsockname(socket, &address.any, &size) == 0 ? size : 0;
}

socklen_t PeerAddressOf(int socket, SocketAddress& address) {
  socklen_t size = sizeof(address);
  return getpeername(socket, &address.any, &size) == 0 ? size : 0;
}

bool ReuseAddress(int socket) { return Set(socket, SOL_SOCKET, SO_REUSEADDR, true); }

bool SharePort(int socket) { return Set(socket, SOL_SOCKET, SO_REUSEPORT, true); }

bool SetIpv6Only(int socket, bool only) { return Set(socket, IPPROTO_IPV6, IPV6_V6ONLY, only); }

bool SetNoDelay(int socket) { return Set(socket, IPPROTO_TCP, TCP_NODELAY, true); }

ptrdiff_t Receive(int socket, std::span<uint8_t> into) { return recv(socket, into.data(), into.size(), 0); }

ptrdiff_t Peek(int socket, std::span<uint8_t> into) {
  return recv(socket, into.data(), into.size(), MSG_PEEK | MSG_DONTWAIT);
}

ptrdiff_t Send(int socket, std::span<const uint8_t> bytes, Follows follows) {
  return send(socket, bytes.data(), bytes.size(), SendFlags(follows));
}

ptrdiff_t SendRuns(int socket, std::span<const iovec> runs, Follows follows) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(runs.data());
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(runs.size());
  return sendmsg(socket, &message, SendFlags(follows));
}

void EndOutput(int socket) { shutdown(socket, SHUT_WR); }

bool NothingNow() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int PollSockets(std::span<pollfd> sockets, int timeout_ms) {
  return poll(sockets.data(), static_cast<nfds_t>(sockets.size()), timeout_ms);
}

Bell::Bell() {
  if (pipe(ends_.data()) != 0) return;
  for (const int fd : ends_) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

Bell::~Bell() {
  for (const int fd : ends_) {
    if (fd >= 0) close(fd);
  }
}

void Bell::Ring() const {
  const char one = 1;
  // Fails only when the pipe is full, which rings as well.
  if (write(ends_[1], &one, 1) < 0) return;
}

void Bell::Silence() const {
  std::array<char, 64> rings{};
  while (read(ends_[0], rings.data(), rings.size()) > 0) continue;
}

int ErrnoOf(int system_error) { return system_error; }

std::string TextOfErrno(int error_number) { return std::strerror(error_number); }

}  // namespace ohws
