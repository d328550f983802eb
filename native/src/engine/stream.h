// The bytes of one established connection, plain or through TLS: read and write without waiting, and the end
// of our half. lws has made the connection and ends it; in between its socket and its TLS object are used
// here directly. Engine thread.
#pragma once

#include <libwebsockets.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sockets.h"
#include "wire/lent_memory.h"

struct ssl_st;

namespace ohws {

struct TlsBatch;

class Stream {
 public:
  static constexpr ptrdiff_t kNothingNow = -1;
  static constexpr ptrdiff_t kBroken = -2;
  static constexpr ptrdiff_t kCannotBorrow = -3;

  Stream() = default;
  // Of an established connection; `batch` is the engine thread's.
  Stream(lws* wsi, TlsBatch& batch);

  int fd() const { return fd_; }
  bool tls() const { return ssl_ != nullptr; }

  // These were read of it, and are to be read again.
  void PutBack(std::span<const uint8_t> bytes) {
    put_back_.insert(put_back_.begin(), bytes.begin(), bytes.end());
  }
  // How many bytes were read: 0 at the end of the peer's half, kNothingNow, kBroken. `drained` says that
  // there is no more now, so that the socket's next event tells when there is.
  ptrdiff_t Read(std::span<uint8_t> into, bool& drained);
  // How many bytes were taken, less than all if the socket takes no more now; kBroken. What comes next
  // must begin with the first promised_bytes() of those that were not taken. Behind `Follows::kEnd` comes
  // EndOutput(), as soon as all was taken.
  ptrdiff_t Write(std::span<const iovec> runs, Follows follows) const;
  // They are encrypted already, and wait for the socket.
  size_t promised_bytes() const;
  // The same from lent memory, not through TLS; kCannotBorrow, and nothing has happened.
  ptrdiff_t WriteLent(const LentMemory& memory, size_t offset, size_t size) const;
  // Tells the peer that nothing follows, as far as TLS has words for it (RFC 8446 §6.1), and ends our half of
  // the TCP connection.
  void EndOutput() const;

 private:
  ptrdiff_t WriteRecords(std::span<const iovec> runs, Follows follows) const;

  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
  std::vector<uint8_t> put_back_;
};

}  // namespace ohws
