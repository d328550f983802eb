// Sockets and OpenSSL beneath Stream. Engine thread.
#include "engine/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace ohws {

namespace {

ptrdiff_t TlsResult(SSL* ssl, int result) {
  if (result > 0) return result;
  const int error = SSL_get_error(ssl, result);
  ERR_clear_error();
  switch (error) {
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
  SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
    const ptrdiff_t got = TlsResult(ssl_, SSL_read(ssl_, into.data() + count, static_cast<int>(room)));
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
        const ptrdiff_t taken = TlsResult(ssl_, SSL_write(ssl_, at, static_cast<int>(size)));
        if (taken == kNothingNow) return static_cast<ptrdiff_t>(count);
        if (taken <= 0) return kBroken;
        done += static_cast<size_t>(taken);
        count += static_cast<size_t>(taken);
      }
    }
    return static_cast<ptrdiff_t>(count);
  }
  const ptrdiff_t taken = SendRuns(fd_, runs);
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
  if (ssl_ != nullptr) {
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  ohws::EndOutput(fd_);
}

}  // namespace ohws
