// Sockets and OpenSSL beneath Stream. Engine thread.
#include "engine/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace ohws {

namespace {

// OpenSSL keeps what it complains of for the whole thread, and what is there when a call fails counts as that
// call's: another connection's error would be this one's end.
template <typename Call>
ptrdiff_t TlsResult(SSL* ssl, Call call) {
  ERR_clear_error();
  const int result = call();
  if (result > 0) return result;
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Stream::kNothingNow;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      return Stream::kBroken;
  }
}

bool NotNow() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

Stream::Stream(lws* wsi) : fd_(lws_get_socket_fd(wsi)), ssl_(lws_get_ssl(wsi)) {
  if (ssl_ == nullptr) return;
  SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

ptrdiff_t Stream::Read(std::span<uint8_t> into, bool& drained) const {
  drained = false;
  if (ssl_ == nullptr) {
    const ssize_t got = recv(fd_, into.data(), into.size(), 0);
    if (got < 0) {
      drained = NotNow();
      return drained ? kNothingNow : kBroken;
    }
    drained = got > 0 && static_cast<size_t>(got) < into.size();
    return got;
  }
  // One record a call: gather what is there.
  size_t count = 0;
  while (count < into.size()) {
    const size_t room = std::min<size_t>(into.size() - count, INT_MAX);
    const ptrdiff_t got =
        TlsResult(ssl_, [&] { return SSL_read(ssl_, into.data() + count, static_cast<int>(room)); });
    drained = got == kNothingNow;
    if (got <= 0) return count != 0 ? static_cast<ptrdiff_t>(count) : got;
    count += static_cast<size_t>(got);
  }
  return static_cast<ptrdiff_t>(count);
}

ptrdiff_t Stream::Write(std::span<const iovec> runs) const {
  if (ssl_ != nullptr) {
    size_t count = 0;
    for (const iovec& run : runs) {
      for (size_t done = 0; done < run.iov_len;) {
        const auto* at = static_cast<const uint8_t*>(run.iov_base) + done;
        const size_t size = std::min<size_t>(run.iov_len - done, INT_MAX);
        const ptrdiff_t taken = TlsResult(ssl_, [&] { return SSL_write(ssl_, at, static_cast<int>(size)); });
        if (taken == kNothingNow) return static_cast<ptrdiff_t>(count);
        if (taken <= 0) return kBroken;
        done += static_cast<size_t>(taken);
        count += static_cast<size_t>(taken);
      }
    }
    return static_cast<ptrdiff_t>(count);
  }
  // The kernel takes one run more cheaply than a list of one.
  if (runs.size() == 1) {
    const ssize_t taken = send(fd_, runs[0].iov_base, runs[0].iov_len, MSG_NOSIGNAL);
    if (taken >= 0) return taken;
    return NotNow() ? 0 : kBroken;
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(runs.data());
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(runs.size());
  const ssize_t taken = sendmsg(fd_, &message, MSG_NOSIGNAL);
  if (taken >= 0) return taken;
  return NotNow() ? 0 : kBroken;
}

ptrdiff_t Stream::WriteLent(const LentMemory& memory, size_t offset, size_t size) const {
  const ptrdiff_t taken = memory.SendTo(fd_, offset, size);
  if (taken >= 0) return taken;
  if (NotNow()) return 0;
  return errno == EINVAL || errno == ENOSYS || errno == EPERM || errno == EOPNOTSUPP ? kCannotBorrow
                                                                                     : kBroken;
}

void Stream::EndOutput() const {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  shutdown(fd_, SHUT_WR);
}

}  // namespace ohws
