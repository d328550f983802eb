// What the POSIX systems have in common but spell differently. Any thread.
#pragma once

#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ohws {

#ifndef __linux__
// -1 for -1; else the descriptor, not blocking and closed by exec.
inline int Prepared(int fd) {
  if (fd < 0) return fd;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}
#endif

// A TCP socket that does not block and is closed by exec; -1 with errno.
inline int OpenStreamSocket(int family) {
#ifdef __linux__
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  return Prepared(socket(family, SOCK_STREAM, 0));
#endif
}

// The next connection of a listening socket, of the same kind; -1 with errno.
inline int AcceptSocket(int listen_fd, sockaddr* address, socklen_t* size) {
#ifdef __linux__
  return accept4(listen_fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
  return Prepared(accept(listen_fd, address, size));
#endif
}

// What a read of one byte would give, which stays there: 0 at the end of the peer's half, -1 with nothing
// there.
inline ssize_t Peek(int fd) {
  char byte = 0;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

inline timespec ModifiedAt(const struct stat& status) {
#ifdef __APPLE__
  return status.st_mtimespec;
#else
  return status.st_mtim;
#endif
}

// Bytes that nobody can foretell; waits where the system has none yet.
inline bool FillFromSystem(uint8_t* out, size_t size) {
  constexpr size_t kMost = 256;
  while (size > 0) {
    const size_t part = std::min(size, kMost);
    if (getentropy(out, part) != 0) continue;
    out += part;
    size -= part;
  }
  return true;
}

}  // namespace ohws
