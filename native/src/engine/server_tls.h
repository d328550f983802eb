// TLS of one server: which certificate a client gets to see, what is demanded of the client's own, and the
// exchange of all that while the server runs. What is exchanged holds for handshakes that begin afterwards.
// Engine thread.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tls.h"
#include "engine/up_writer.h"
#include "wire/record.h"

struct ssl_st;

namespace ohws {

// PEM files of a certificate with its chain, and of its key.
struct CertificateFiles {
  // Names in lower case; "*.example.com" is every name with one label before. None: whoever asks for no
  // name of another certificate.
  std::vector<std::string> hosts;
  std::string cert_path;
  std::string key_path;
  std::string key_password;
};

enum class ClientCertificates : uint8_t {
  kNone,
  kAsk,     // a client may have none; what it has is verified
  kDemand,  // without one there is no connection
};

// lib/transport.ts, TlsConfig; the record carries these names and values.
struct ServerTlsConfig {
  std::vector<CertificateFiles> certificates;  // the first has no hosts; none at all: no TLS
  ClientCertificates clients = ClientCertificates::kNone;
  std::string ca_path;  // whose certificates clients may have

  // The option of this name, whose value is the next string, or more of them. False: it is none.
  bool Set(std::string_view name, StringListReader& values);
};

class ServerTls {
 public:
  ServerTls() = default;
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  // Reads the files and keeps what is in them, for Take(). False if one cannot be used, and why; then nothing
  // is different.
  bool Prepare(ServerTlsConfig config, Failure& failure);
  // What was prepared last holds for all handshakes from now on. Once for each Prepare().
  void Take();
  // Or does not.
  void Drop() { prepared_.reset(); }
  bool enabled() const { return !taken_.config.certificates.empty(); }
  // A vhost that is about to be made serves TLS. What `info` points to lasts until the next Take().
  void Configure(lws_context_creation_info& info) const;
  // lws has made OpenSSL's context of that vhost.
  void Attach(ssl_ctx_st* context);
  // The certificate that the client of an established connection has proved to be its own, in DER; empty
  // without one.
  std::string ClientCertificate(lws* wsi) const;

 private:
  struct Certificate {
    std::vector<std::string> hosts;
    SslContext pair;  // holds them; nothing else of it is used
  };
  struct Files {
    ServerTlsConfig config;
    std::vector<Certificate> certificates;
    SslContext clients;  // holds the CA and its names; null if nothing is asked of clients
  };

  // OpenSSL asks for the certificate of a handshake. 0 ends it.
  static int Choose(ssl_st* ssl, void* tls);
  const Certificate& Find(std::string_view host) const;
  void Apply();

  Files taken_;
  std::optional<Files> prepared_;
  ssl_ctx_st* context_ = nullptr;  // of the vhost
  uint32_t generation_ = 0;
};

}  // namespace ohws
