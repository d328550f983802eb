// Sockets and OpenSSL beneath Stream. Engine thread.
#include "engine/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace ohws {

namespace {

constexpr size_t kTlsReadAheadBytes = size_t{64} * 1024;

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

}  // namespace

Stream::Stream(lws* wsi) : fd_(SocketOf(wsi)), ssl_(lws_get_ssl(wsi)) {
  if (ssl_ == nullptr) return;
  SSL_set_mode(
      ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Else each record is read from the socket in two steps. The memory is there only while something is in it.
  SSL_set_read_ahead(ssl_, 1);
  SSL_set_default_read_buffer_len(ssl_, kTlsReadAheadBytes);
}

ptrdiff_t Stream::Read(std::span<uint8_t> into, bool& drained) const {
  drained = false;
  if (ssl_ == nullptr) {
    const ptrdiff_t got = Receive(fd_, into);
    if (got < 0) {
      drained = NothingNow();
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
  const ptrdiff_t taken = runs.size() == 1
                              ? Send(fd_, {static_cast<const uint8_t*>(runs[0].iov_base), runs[0].iov_len})
                              : SendRuns(fd_, runs);
  if (taken >= 0) return taken;
  return NothingNow() ? 0 : kBroken;
}

ptrdiff_t Stream::WriteLent(const LentMemory& memory, size_t offset, size_t size) const {
  const ptrdiff_t taken = memory.SendTo(fd_, offset, size);
  if (taken >= 0) return taken;
  if (NothingNow()) return 0;
  return errno == EINVAL || errno == ENOSYS || errno == EPERM || errno == EOPNOTSUPP ? kCannotBorrow
                                                                                     : kBroken;
}

void Stream::EndOutput() const {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  ohws::EndOutput(fd_);
}

}  // namespace ohws
