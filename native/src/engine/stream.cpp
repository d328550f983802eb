// Sockets and OpenSSL beneath Stream. Engine thread.
#include "engine/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "engine/tls_socket.h"

namespace ohws {

namespace {

constexpr size_t kTlsReadAheadBytes = size_t{96} * 1024;

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

// The bytes of `runs`, a record's worth at a time.
class Records {
 public:
  explicit Records(std::span<const iovec> runs) : runs_(runs) {
    for (const iovec& run : runs) left_ += run.iov_len;
  }

  size_t left() const { return left_; }

  // The next record in one piece: copied to `room` where a run ends within it.
  std::span<const uint8_t> Next(std::span<uint8_t, TlsSocket::kRecordBytes> room) {
    const size_t size = std::min(left_, room.size());
    if (runs_.front().iov_len - at_ >= size) return {Bytes(runs_.front()) + at_, size};
    size_t count = 0;
    size_t from = at_;
    for (const iovec& run : runs_) {
      const size_t some = std::min(run.iov_len - from, size - count);
      std::copy_n(Bytes(run) + from, some, room.data() + count);
      count += some;
      if (count == size) break;
      from = 0;
    }
    return room.first(size);
  }

  void Advance(size_t bytes) {
    left_ -= bytes;
    while (bytes > 0) {
      const size_t some = std::min(runs_.front().iov_len - at_, bytes);
      at_ += some;
      bytes -= some;
      if (at_ == runs_.front().iov_len) Skip();
    }
  }

 private:
  static const uint8_t* Bytes(const iovec& run) { return static_cast<const uint8_t*>(run.iov_base); }

  void Skip() {
    runs_ = runs_.subspan(1);
    at_ = 0;
  }

  std::span<const iovec> runs_;
  size_t at_ = 0;  // within the first of them
  size_t left_ = 0;
};

// Encrypts what the batch has room for: what OpenSSL said of the last record.
ptrdiff_t FillBatch(SSL* ssl, TlsSocket& socket, Records& records) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled as far as it is used
  std::array<uint8_t, TlsSocket::kRecordBytes> room;
  socket.BeginBatch();
  ptrdiff_t taken = 0;
  do {
    const std::span<const uint8_t> record = records.Next(room);
    taken = TlsResult(ssl, [&] { return SSL_write(ssl, record.data(), static_cast<int>(record.size())); });
    if (taken > 0) records.Advance(static_cast<size_t>(taken));
  } while (taken > 0 && records.left() > 0 && socket.HasRoomForRecord());
  socket.EndBatch();
  return taken;
}

}  // namespace

Stream::Stream(lws* wsi, TlsBatch& batch) : fd_(SocketOf(wsi)), ssl_(lws_get_ssl(wsi)) {
  if (ssl_ == nullptr) return;
  SSL_set_mode(
      ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Else each record is read from the socket in two steps. The memory is there only while something is in it.
  SSL_set_read_ahead(ssl_, 1);
  SSL_set_default_read_buffer_len(ssl_, kTlsReadAheadBytes);
  TlsSocket::PutBeneath(ssl_, fd_, batch);
}

ptrdiff_t Stream::Read(std::span<uint8_t> into, bool& drained) {
  drained = false;
  if (!put_back_.empty()) {
    const size_t some = std::min(into.size(), put_back_.size());
    std::copy_n(put_back_.begin(), some, into.begin());
    put_back_.erase(put_back_.begin(), put_back_.begin() + static_cast<ptrdiff_t>(some));
    if (put_back_.empty()) put_back_ = {};
    return static_cast<ptrdiff_t>(some);
  }
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
  TlsSocket::Of(ssl_).AskAgain();
  size_t count = 0;
  while (count < into.size()) {
    const size_t room = std::min<size_t>(into.size() - count, INT_MAX);
    const ptrdiff_t got =
        TlsResult(ssl_, [&] { return SSL_read(ssl_, into.data() + count, static_cast<int>(room)); });
    drained = got == kNothingNow;
    if (got <= 0) return count != 0 ? static_cast<ptrdiff_t>(count) : got;
    TlsSocket::ForgetIdleWords(ssl_);
    count += static_cast<size_t>(got);
  }
  return static_cast<ptrdiff_t>(count);
}

ptrdiff_t Stream::Write(std::span<const iovec> runs, Follows follows) const {
  if (ssl_ != nullptr) return WriteRecords(runs, follows);
  // The kernel takes one run more cheaply than a list of one.
  const ptrdiff_t taken =
      runs.size() == 1 ? Send(fd_, {static_cast<const uint8_t*>(runs[0].iov_base), runs[0].iov_len}, follows)
                       : SendRuns(fd_, runs, follows);
  if (taken >= 0) return taken;
  return NothingNow() ? 0 : kBroken;
}

ptrdiff_t Stream::WriteRecords(std::span<const iovec> runs, Follows follows) const {
  TlsSocket& socket = TlsSocket::Of(ssl_);
  socket.Expect(follows);
  Records records(runs);
  // What waits holds the first of these bytes.
  ptrdiff_t left = socket.SendWaiting();
  records.Advance(left > 0 ? static_cast<size_t>(left) : 0);
  ptrdiff_t count = 0;
  for (ptrdiff_t taken = 1; left >= 0;) {
    count += left;
    if (socket.waits() || records.left() == 0 || taken == kNothingNow) return count;
    const size_t before = records.left();
    taken = FillBatch(ssl_, socket, records);
    if (taken <= 0 && taken != kNothingNow) break;
    left = socket.SendBatch(before - records.left());
  }
  return kBroken;
}

size_t Stream::promised_bytes() const {
  return ssl_ == nullptr ? 0 : TlsSocket::Of(ssl_).waiting_plain_bytes();
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
