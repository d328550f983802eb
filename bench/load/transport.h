// The way to the server: one TCP connection on loopback, with or without TLS 1.3 on it.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace ohws::bench {

// What all TLS connections have in common: TLS 1.3, AES-128-GCM, X25519, no resumption, and a
// certificate for 127.0.0.1 that this CA file vouches for. One choice of each, so that every
// server does the same arithmetic.
class TlsSettings {
 public:
  explicit TlsSettings(const std::string& ca_file);
  ~TlsSettings();

  TlsSettings(const TlsSettings&) = delete;
  TlsSettings& operator=(const TlsSettings&) = delete;

  ssl_ctx_st* context() const { return context_; }

 private:
  ssl_ctx_st* context_;
};

class Transport {
 public:
  // `tls` may be null: then it is TCP alone.
  explicit Transport(const TlsSettings* tls) : tls_(tls) {}
  ~Transport();

  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int fd() const { return fd_; }
  bool is_sealed() const { return tls_ != nullptr; }

  // Begins to connect from 127.0.1.`source`, or from any address where `source` is 0.
  void Connect(uint16_t port, uint8_t source);

  // Goes on once the socket can be written or, later, read. True when bytes may be exchanged.
  bool ContinueOpening();

  // As recv() and send(): -1 where the socket has nothing or no room, 0 at the end or a reset. After a
  // Write() that found no room the next one must begin with the same bytes. Failures throw.
  long Read(char* out, size_t size);
  long Write(const char* bytes, size_t size);
  long WriteParts(iovec* parts, size_t count);  // only without TLS

  // Whether bytes may be here that epoll does not know of any more.
  bool may_have_more() const;

 private:
  long ReadSealed(char* out, size_t size);
  long WriteSealed(const char* bytes, size_t size);

  const TlsSettings* tls_;
  int fd_ = -1;
  bool connected_ = false;
  ssl_st* ssl_ = nullptr;
};

}  // namespace ohws::bench
