#include "transport.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "failure.h"

namespace ohws::bench {
namespace {

constexpr size_t kSealedReadBytes = 64 * 1024;

[[noreturn]] void FailWithErrno(const std::string& what) {
  throw Failure(what + ": " + std::strerror(errno));
}

[[noreturn]] void FailTls(const std::string& what) {
  const unsigned long code = ERR_get_error();
  const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  throw Failure(what + ": " + (reason != nullptr ? reason : std::strerror(errno)));
}

long OnPlainResult(long result, const char* what) {
  if (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK) FailWithErrno(what);
  return result;
}

sockaddr_in Loopback(uint32_t address, uint16_t port) {
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_port = htons(port);
  loopback.sin_addr.s_addr = htonl(address);
  return loopback;
}

}  // namespace

TlsSettings::TlsSettings(const std::string& ca_file) : context_(SSL_CTX_new(TLS_client_method())) {
  const bool ok = context_ != nullptr && SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION) == 1 &&
                  SSL_CTX_set_ciphersuites(context_, "TLS_AES_128_GCM_SHA256") == 1 &&
                  SSL_CTX_set1_groups_list(context_, "X25519") == 1 &&
                  SSL_CTX_load_verify_locations(context_, ca_file.c_str(), nullptr) == 1 &&
                  X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context_), "127.0.0.1") == 1;
  if (!ok) FailTls("TLS settings");
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context_, SSL_OP_IGNORE_UNEXPECTED_EOF);  // the close frame tells
  SSL_CTX_set_read_ahead(context_, 1);
  SSL_CTX_set_default_read_buffer_len(context_, kSealedReadBytes);
}

TlsSettings::~TlsSettings() { SSL_CTX_free(context_); }

Transport::~Transport() {
  if (ssl_ != nullptr) {
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
  }
  if (fd_ >= 0) close(fd_);
}

void Transport::Connect(uint16_t port, uint8_t source) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) FailWithErrno("socket");
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (source != 0) {
    setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    const sockaddr_in from = Loopback(0x7f000100u + source, 0);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) < 0) FailWithErrno("bind");
  }
  const sockaddr_in to = Loopback(INADDR_LOOPBACK, port);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) < 0 && errno != EINPROGRESS) {
    FailWithErrno("connect");
  }
}

bool Transport::ContinueOpening() {
  if (!connected_) {
    int error = 0;
    socklen_t error_bytes = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
    if (error != 0) throw Failure(std::string("connect: ") + std::strerror(error));
    connected_ = true;
    if (tls_ == nullptr) return true;
    ssl_ = SSL_new(tls_->context());
    if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1) FailTls("TLS");
  }
  ERR_clear_error();
  const int result = SSL_connect(ssl_);
  if (result == 1) return true;
  if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) FailTls("TLS handshake");
  return false;
}

long Transport::Read(char* out, size_t size) {
  if (ssl_ != nullptr) return ReadSealed(out, size);
  const long got = recv(fd_, out, size, 0);
  return got < 0 && errno == ECONNRESET ? 0 : OnPlainResult(got, "recv");
}

long Transport::ReadSealed(char* out, size_t size) {
  size_t have = 0;
  while (have < size) {
    ERR_clear_error();
    size_t got = 0;
    if (SSL_read_ex(ssl_, out + have, size - have, &got) == 1) {
      have += got;
      continue;
    }
    const int error = SSL_get_error(ssl_, 0);
    if (error == SSL_ERROR_WANT_READ || have > 0) break;  // what else it is comes again
    if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && errno == ECONNRESET)) return 0;
    FailTls("TLS read");
  }
  return have > 0 ? static_cast<long>(have) : -1;
}

long Transport::Write(const char* bytes, size_t size) {
  return ssl_ != nullptr ? WriteSealed(bytes, size)
                         : OnPlainResult(send(fd_, bytes, size, MSG_NOSIGNAL), "send");
}

long Transport::WriteSealed(const char* bytes, size_t size) {
  ERR_clear_error();
  size_t taken = 0;
  if (SSL_write_ex(ssl_, bytes, size, &taken) == 1) return static_cast<long>(taken);
  if (SSL_get_error(ssl_, 0) != SSL_ERROR_WANT_WRITE) FailTls("TLS write");
  return -1;
}

long Transport::WriteParts(iovec* parts, size_t count) {
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  return OnPlainResult(sendmsg(fd_, &message, MSG_NOSIGNAL), "send");
}

bool Transport::may_have_more() const { return ssl_ != nullptr && SSL_has_pending(ssl_) == 1; }

}  // namespace ohws::bench
