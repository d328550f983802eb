#include "script/peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "fuzz.h"
#include "protocol/handshake.h"
#include "protocol/http_head.h"

namespace ohws::fuzz {

constexpr size_t kMostWaiting = size_t{1} << 20;

void Peer::Deleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Peer::Peer(int fd, bool is_client, bool netstack, ssl_ctx_st* tls)
    : fd_(fd),
      is_client_(is_client),
      netstack_(netstack),
      ssl_(tls == nullptr ? nullptr : SSL_new(tls)),
      reader_({.peer_masks = !is_client, .compressed = true}) {
  if (ssl_ == nullptr) return;
  SSL_set_fd(ssl_.get(), fd);
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (is_client) {
    SSL_set_tlsext_host_name(ssl_.get(), "localhost");
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

Peer::~Peer() { Reset(); }

void Peer::Write(std::string_view bytes) {
  if (waiting_.size() < kMostWaiting) waiting_ += bytes;
  GoOn();
}

void Peer::WriteBelow(std::string_view bytes) const {
  // What the kernel does not take is lost.
  if (fd_ >= 0 && send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
}

void Peer::GoOn() {
  if (fd_ >= 0 && ssl_ != nullptr && SSL_is_init_finished(ssl_.get()) == 0) {
    const ptrdiff_t result = TlsResult(SSL_do_handshake(ssl_.get()));
    if (result == 0) Reset();
    if (result <= 0) return;
  }
  size_t gone = 0;
  while (fd_ >= 0 && gone < waiting_.size()) {
    const ptrdiff_t taken = Send(std::string_view(waiting_).substr(gone));
    // Like the kernel, which says in its own time that the connection is gone.
    if (taken <= 0) break;
    gone += static_cast<size_t>(taken);
  }
  waiting_.erase(0, gone);
}

void Peer::End(bool tcp) {
  if (fd_ < 0) return;
  if (ssl_ != nullptr) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  if (tcp || ssl_ == nullptr) shutdown(fd_, SHUT_WR);
}

void Peer::Reset() {
  if (fd_ < 0) return;
  // Nothing of it stays behind, here or in the kernel.
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(fd_);
  fd_ = -1;
}

void Peer::Read(int wait_ms) {
  pollfd wanted{fd_, POLLIN, 0};
  if (fd_ >= 0 && wait_ms != 0 && (ssl_ == nullptr || SSL_pending(ssl_.get()) == 0))
    poll(&wanted, 1, wait_ms);
  std::vector<uint8_t> bytes(64 * 1024);
  while (fd_ >= 0) {
    const ptrdiff_t got = Receive(bytes);
    if (got < 0) return;
    if (got == 0) {
      Reset();
      return;
    }
    Judge(std::span(bytes).first(static_cast<size_t>(got)));
  }
}

ptrdiff_t Peer::Receive(std::span<uint8_t> into) {
  if (ssl_ != nullptr) return TlsResult(SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size())));
  const ssize_t got = recv(fd_, into.data(), into.size(), 0);
  return got >= 0 ? got : errno == EAGAIN ? -1 : 0;
}

ptrdiff_t Peer::Send(std::string_view bytes) {
  if (ssl_ != nullptr) return TlsResult(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
  const ssize_t taken = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return taken >= 0 ? taken : errno == EAGAIN ? -1 : 0;
}

ptrdiff_t Peer::TlsResult(int result) const {
  const int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  // The engine lives in the same thread and finds what is left in there.
  ERR_clear_error();
  if (error == SSL_ERROR_NONE) return result;
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

void Peer::Judge(std::span<uint8_t> bytes) {
  if (!upgraded_) {
    head_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    if (is_client_) {
      // netstack leaves it to libwebsockets to answer what is no HTTP.
      REQUIRE(head_.starts_with(netstack_ ? "HTTP/1." : "HTTP/1.1 "));
      if (!head_.starts_with("HTTP/1.1 101 ")) return;
    } else if (head_.starts_with("CONNECT ")) {
      if (head_.size() == end + 4) return;
      head_.erase(0, end + 4);
      Judge({});
      return;
    } else {
      // Ours are heads by our own rules.
      HttpHead read;
      size_t used = 0;
      REQUIRE(read.Feed(head_, used) == HttpHead::Status::kComplete);
      REQUIRE(CheckUpgradeRequest(read) == UpgradeRefusal::kNone);
    }
    upgraded_ = true;
    std::vector<uint8_t> rest(head_.begin() + static_cast<ptrdiff_t>(end + 4), head_.end());
    head_.resize(end + 4);
    Judge(rest);
    return;
  }
  FramePiece piece;
  for (;;) {
    const FrameReader::Event event = reader_.Next(bytes, piece);
    REQUIRE(event != FrameReader::Event::kViolation);
    if (event == FrameReader::Event::kNone) return;
    REQUIRE(!closed_);
    closed_ = event == FrameReader::Event::kControl && piece.opcode == Opcode::kClose;
  }
}

}  // namespace ohws::fuzz
