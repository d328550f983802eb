#include "engine/server_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "engine/tls_socket.h"

namespace ohws {

namespace {

// Of a client's certificates: OpenSSL takes memory for all that it announces, as it does for its hello. Four
// of the largest, post-quantum ones, are 30 KiB.
constexpr long kMostCertificateBytes = 32L * 1024;

CertificateFiles ReadCertificate(std::string_view cert_path, StringListReader& values) {
  CertificateFiles files;
  files.cert_path = cert_path;
  files.key_path = values.Next().value_or("");
  files.key_password = values.Next().value_or("");
  const std::string_view count = values.Next().value_or("");
  size_t hosts = 0;
  std::from_chars(count.data(), count.data() + count.size(), hosts);
  for (; hosts > 0; --hosts) files.hosts.emplace_back(values.Next().value_or(""));
  return files;
}

}  // namespace

bool ServerTlsConfig::Set(std::string_view name, StringListReader& values) {
  if (name != "certificate" && name != "clientCertificates" && name != "caPath") return false;
  const std::string_view value = values.Next().value_or("");
  if (name == "certificate") {
    certificates.push_back(ReadCertificate(value, values));
  } else if (name == "clientCertificates") {
    clients = value == "demand" ? ClientCertificates::kDemand
              : value == "ask"  ? ClientCertificates::kAsk
                                : ClientCertificates::kNone;
  } else {
    ca_path = value;
  }
  return true;
}

bool ServerTls::Prepare(ServerTlsConfig config, Failure& failure) {
  Files read;
  for (const CertificateFiles& files : config.certificates) {
    SslContext pair = ReadKeyPair(files.cert_path, files.key_path, files.key_password, failure);
    if (pair == nullptr) return false;
    read.certificates.push_back({files.hosts, std::move(pair)});
  }
  if (config.clients != ClientCertificates::kNone) {
    read.clients = ReadCaFile(config.ca_path, failure);
    if (read.clients == nullptr) return false;
    SSL_CTX_set_client_CA_list(read.clients.get(), SSL_load_client_CA_file(config.ca_path.c_str()));
    ERR_clear_error();
  }
  read.config = std::move(config);
  prepared_ = std::move(read);
  return true;
}

void ServerTls::Take() {
  if (!prepared_.has_value()) return;
  taken_ = std::move(*prepared_);
  prepared_.reset();
  ++generation_;
  if (context_ != nullptr) Apply();
}

void ServerTls::Configure(lws_context_creation_info& info) const {
  const CertificateFiles& files = taken_.config.certificates.front();
  // Also of the vhost: without it lws takes the files and serves plain ws (S2).
  info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.ssl_cert_filepath = files.cert_path.c_str();
  info.ssl_private_key_filepath = files.key_path.c_str();
  if (!files.key_password.empty()) info.ssl_private_key_password = files.key_password.c_str();
  info.ssl_options_set = static_cast<long>(SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION);
  info.alpn = "http/1.1";
}

void ServerTls::Attach(ssl_ctx_st* context) {
  context_ = context;
  SSL_CTX_set_cert_cb(context, Choose, this);
  TlsSocket::LimitIdleWords(context);
  TlsSocket::LimitHellos(context);
  SSL_CTX_set_max_cert_list(context, kMostCertificateBytes);
  // Each is a write and an encryption of the session; who comes back uses one, and gets another.
  SSL_CTX_set_num_tickets(context, 1);
  // Without our patch one-listener-one-vhost lws looks for a vhost of that name, which may be another
  // server's.
  SSL_CTX_set_tlsext_servername_callback(context, nullptr);
  Apply();
}

void ServerTls::Apply() {
  SSL_CTX* clients = taken_.clients.get();
  if (clients == nullptr) {
    SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
    return;
  }
  const bool demand = taken_.config.clients == ClientCertificates::kDemand;
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | (demand ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set1_verify_cert_store(context_, SSL_CTX_get_cert_store(clients));
  SSL_CTX_set_client_CA_list(context_, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(clients)));
  // A session that is resumed is not verified again, so those of other CAs are not.
  SSL_CTX_set_session_id_context(context_, reinterpret_cast<const unsigned char*>(&generation_),
                                 sizeof(generation_));
}

const ServerTls::Certificate& ServerTls::Find(std::string_view host) const {
  std::string name(host);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const size_t dot = name.find('.');
  const std::string wildcard = dot == std::string::npos ? std::string() : '*' + name.substr(dot);
  for (const std::string& wanted : {name, wildcard}) {
    for (const Certificate& certificate : taken_.certificates) {
      if (std::find(certificate.hosts.begin(), certificate.hosts.end(), wanted) != certificate.hosts.end())
        return certificate;
    }
  }
  return taken_.certificates.front();
}

int ServerTls::Choose(ssl_st* ssl, void* tls) {
  const char* host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  SSL_CTX* pair = static_cast<const ServerTls*>(tls)->Find(host == nullptr ? "" : host).pair.get();
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(pair, &chain);
  // One of another key type would stay beside it.
  SSL_certs_clear(ssl);
  return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(pair), SSL_CTX_get0_privatekey(pair), chain, 1);
}

std::string ServerTls::ClientCertificate(lws* wsi) const {
  SSL* ssl = reinterpret_cast<SSL*>(lws_get_ssl(wsi));
  X509* certificate = ssl == nullptr || taken_.config.clients == ClientCertificates::kNone
                          ? nullptr
                          : SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return {};
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(der);
  X509_free(certificate);
  return bytes;
}

}  // namespace ohws
