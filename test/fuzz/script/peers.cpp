#include "script/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "engine/listening_socket.h"
#include "script/certificates.h"

namespace ohws::fuzz {
namespace {

// Takes little before it is read from, and sends at once what it is told to.
void Prepare(int fd) {
  const int small = 8192;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

socklen_t Loopback(SocketAddress& address, bool v6, uint16_t port, uint8_t host = 1) {
  if (v6) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    address.v6.sin6_addr = in6addr_loopback;
    return sizeof(address.v6);
  }
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  address.v4.sin_addr.s_addr = htonl(0x7f000000U | host);
  return sizeof(address.v4);
}

struct Listening {
  explicit Listening(bool v6)
      : fd(socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    Prepare(fd);
    SocketAddress address{};
    socklen_t size = Loopback(address, v6, 0);
    REQUIRE(bind(fd, &address.any, size) == 0 && listen(fd, 64) == 0);
    REQUIRE(getsockname(fd, &address.any, &size) == 0);
    port = ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port);
  }

  int fd;
  uint16_t port = 0;
};

// One set for the process.
struct AllListening {
  Listening plain{false};
  Listening plain_v6{true};
  Listening tls{false};

  static const AllListening& Get() {
    static const AllListening all;
    return all;
  }
};

SslContext ContextWith(const KeyPair& pair) {
  Failure failure;
  SslContext context = ReadKeyPair(pair.cert_path, pair.key_path, "", failure);
  REQUIRE(context != nullptr);
  return context;
}

const KeyPair& CertificateOf(const Options& options) {
  const Certificates& files = Certificates::Get();
  switch (options.tls >> 4 & 3) {
    case 1:
      return files.elsewhere;
    case 2:
      return files.expired;
    case 3:
      return files.self_signed;
    default:
      return files.server;
  }
}

}  // namespace

Peers::Peers(const Options& options) : options_(options), server_tls_(ContextWith(CertificateOf(options))) {
  // The engine's clients have to show a certificate.
  if ((options.tls & 64) != 0) {
    SSL_CTX_set_verify(server_tls_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_load_verify_locations(server_tls_.get(), Certificates::Get().ca_path.c_str(), nullptr);
  }
  client_tls_ = (options.tls & 128) != 0 ? ContextWith(Certificates::Get().client)
                                         : SslContext(SSL_CTX_new(TLS_method()));
  if ((options.rules & 128) != 0) SSL_CTX_set_max_proto_version(client_tls_.get(), TLS1_2_VERSION);
  ERR_clear_error();
}

PeerPorts Peers::Ports() {
  const AllListening& all = AllListening::Get();
  return {all.plain.port, all.plain_v6.port, all.tls.port};
}

void Peers::Dial(uint16_t port, uint8_t choice) {
  if (all_.size() < kMost) Add(port, choice);
}

void Peers::DialCrowd(uint16_t port, std::string_view request) {
  if (all_.size() > kMost) return;
  for (uint8_t n = 0; n < kCrowd; ++n) {
    if (Peer* peer = Add(port, n % 3)) peer->Write(request);
  }
}

Peer* Peers::Add(uint16_t port, uint8_t choice) {
  if (port == 0) return nullptr;
  SocketAddress to{};
  socklen_t size = 0;
  const uint8_t way = choice / 4 % 4;
  const bool v6 = way == 1 && options_.listens_v6();
  std::string path;
  if (way == 2 && options_.listens_on_file()) path = SocketPath();
  if (way == 3 && options_.listens_abstract()) path = AbstractName();
  if (path.empty()) {
    size = Loopback(to, v6, port);
  } else {
    to.local.sun_family = AF_UNIX;
    path.copy(to.local.sun_path, sizeof(to.local.sun_path));
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '\0' ? 0 : 1));
  }
  // The descriptors may have run out.
  const int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  Prepare(fd);
  if (to.any.sa_family == AF_INET) {
    SocketAddress from{};
    const socklen_t from_size = Loopback(from, false, 0, static_cast<uint8_t>(1 + choice % 3));
    REQUIRE(bind(fd, &from.any, from_size) == 0);
  }
  if (connect(fd, &to.any, size) != 0 && errno != EINPROGRESS) {
    close(fd);
    return nullptr;
  }
  // Some do not know that it speaks TLS.
  const bool tls = options_.server_tls() && choice < 240;
  all_.push_back(std::make_unique<Peer>(fd, true, options_.netstack(), tls ? client_tls_.get() : nullptr));
  return all_.back().get();
}

void Peers::AcceptAndGoOn() {
  const AllListening& listening = AllListening::Get();
  for (const Listening* at : {&listening.plain, &listening.plain_v6, &listening.tls}) {
    for (;;) {
      const int fd = accept4(at->fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) break;
      Prepare(fd);
      ssl_ctx_st* tls = at == &listening.tls ? server_tls_.get() : nullptr;
      auto peer = std::make_unique<Peer>(fd, false, options_.netstack(), tls);
      if (all_.size() < kMost) all_.push_back(std::move(peer));
    }
  }
  for (const auto& peer : all_) peer->GoOn();
}

void Peers::ReadAll() const {
  for (const auto& peer : all_) peer->Read();
}

}  // namespace ohws::fuzz
