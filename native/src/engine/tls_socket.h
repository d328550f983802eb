// What OpenSSL reads from and writes to on a connection of ours, once lws has established it: its socket, as
// a BIO of our own. OpenSSL's own makes a system call of each record, and asks the socket again after a read
// that has taken all there was. Here the records of one write gather, and leave in one system call. Engine
// thread.
//
// Invariants:
//  1. What has been encrypted leaves before anything that is encrypted later.
//  2. A batch is empty between writes: what the socket does not take is its connection's, until it does.
//  3. The application's bytes in there count as not taken until they have left.
//  4. OpenSSL returns, though it reads on while what comes carries no data (key updates, refused
//     renegotiations): behind kMostIdleWords of them the socket is at its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/sockets.h"

struct ssl_st;
struct ssl_ctx_st;

namespace ohws {

// Where the records of one write gather; one an engine thread.
struct TlsBatch {
  static constexpr size_t kBytes = 96 * 1024;

  std::unique_ptr<uint8_t[]> bytes;  // from the first connection on that has TLS
  size_t size = 0;
};

class TlsSocket {
 public:
  // What a record holds at most (RFC 8446 §5.1).
  static constexpr size_t kRecordBytes = 16 * 1024;

  // As many as OpenSSL takes of empty records in a row; more than any handshake has messages.
  static constexpr intptr_t kMostIdleWords = 32;

  // Invariant 4 for all connections of this context, from their handshakes on.
  static void LimitIdleWords(ssl_ctx_st* context);
  // Of a server's context: OpenSSL does not get to see a hello that announces more than HelloMeter takes.
  static void LimitHellos(ssl_ctx_st* context);
  // Data have come.
  static void ForgetIdleWords(ssl_st* ssl);

  // Takes the place of whatever is beneath `ssl`, which owns it from then on. What lws and OpenSSL read and
  // write by themselves goes on as before. `batch` outlives the last BeginBatch().
  static void PutBeneath(ssl_st* ssl, int fd, TlsBatch& batch);
  static TlsSocket& Of(const ssl_st* ssl);

  // The socket may have more to read than it had.
  void AskAgain() { input_ = Input::kUnknown; }

  // Of what is sent from now on.
  void Expect(Follows follows) { follows_ = follows; }

  // In between, what OpenSSL writes gathers. It has room for a record, and then for as many as it says.
  void BeginBatch();
  bool HasRoomForRecord() const;
  void EndBatch() { gathers_ = false; }
  // Sends the batch, which holds so many of the application's bytes. How many have left; -1: broken.
  ptrdiff_t SendBatch(size_t plain_bytes);
  // The same for what the socket did not take of the last one; nothing, if it took all.
  ptrdiff_t SendWaiting();
  bool waits() const { return waiting_ != nullptr; }
  // So many of the application's bytes do.
  size_t waiting_plain_bytes() const { return waiting_ == nullptr ? 0 : waiting_->plain_bytes; }

 private:
  struct Method;  // OpenSSL's side

  enum class Input : uint8_t {
    kUnknown,  // the next read asks the socket
    kDry,      // a read was not filled: there is no more until the socket's next event
    kEnded,    // the peer's half
  };

  struct Waiting {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size = 0;
    size_t sent = 0;
    size_t plain_bytes = 0;
  };

  TlsSocket(int fd, TlsBatch& batch) : fd_(fd), batch_(batch) {}

  // How many of `bytes`, 0 for none now; -1: broken.
  ptrdiff_t SendNow(std::span<const uint8_t> bytes) const;

  const int fd_;
  Input input_ = Input::kUnknown;
  bool gathers_ = false;
  Follows follows_ = Follows::kUnknown;
  TlsBatch& batch_;
  std::unique_ptr<Waiting> waiting_;
};

}  // namespace ohws
