#include "engine/tls.h"

#include <openssl/err.h>
#include <openssl/evperr.h>
#include <openssl/pem.h>
#include <openssl/proverr.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <memory>

#include "engine/client_attempt.h"
#include "engine/lws_protocol.h"
#include "engine/server_counters.h"
#include "engine/sockets.h"
#include "engine/system.h"

namespace ohws {

namespace {

std::string ErrorText(unsigned long code) {
  std::array<char, 256> text{};
  if (code != 0) ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

// OpenSSL's oldest complaint, which names the cause; the queue is empty afterwards.
std::string TakeOpensslError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  return ErrorText(code);
}

// A complaint about a key that was found, as opposed to a file that holds none.
bool TellsOfAKey(unsigned long code) {
  const int reason = ERR_GET_REASON(code);
  switch (ERR_GET_LIB(code)) {
    case ERR_LIB_PEM:
      return reason == PEM_R_BAD_DECRYPT || reason == PEM_R_BAD_PASSWORD_READ ||
             reason == PEM_R_PROBLEMS_GETTING_PASSWORD;
    // NOLINTNEXTLINE(bugprone-branch-clone): two names, and in OpenSSL 3 one number
    case ERR_LIB_EVP:
      return reason == EVP_R_BAD_DECRYPT;
    case ERR_LIB_PROV:
      return reason == PROV_R_BAD_DECRYPT;
    case ERR_LIB_PKCS12:
      return true;
    case ERR_LIB_X509:
      return reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
    default:
      return false;
  }
}

int GivePassword(char* out, int room, int /*writing*/, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  const int size = static_cast<int>(text.size());
  if (size > room) return 0;
  text.copy(out, text.size());
  return size;
}

// Where the certificate authorities are that the system trusts; empty if it keeps them in no file.
std::string SystemStore() {
  if (const char* path = std::getenv("SSL_CERT_FILE"); path != nullptr && path[0] != '\0') return path;
  return SystemTrustFile();
}

// A file that has changed is another file.
std::string Fingerprint(const std::string& path) { return path + '\0' + FileStamp(path); }

// C14 and C15: what netstack lets pass.
bool NetstackForgives(int error, Trust trust) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return true;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return trust == Trust::kLaxSkip;
    default:
      return false;
  }
}

// The option bits that switch off what is below the lowest version wanted. Unless told, TLS 1.2 (RFC 8996);
// netstack leaves that to OpenSSL. A server may not ask for another handshake on an open connection: a write
// would have to wait for a read then (D36).
long OptionsOf(std::optional<int> min_tls_version, bool netstack) {
  constexpr int kTls12 = 2;
  const int lowest = min_tls_version.value_or(netstack ? 0 : kTls12);
  uint64_t options = SSL_OP_NO_RENEGOTIATION;
  if (lowest >= 1) options |= SSL_OP_NO_TLSv1;
  if (lowest >= 2) options |= SSL_OP_NO_TLSv1_1;
  if (lowest >= 3) options |= SSL_OP_NO_TLSv1_2;
  return static_cast<long>(options);
}

// Client vhosts that trust the system's store, beside their own CA file or because it is no file, are known
// by their name.
constexpr std::string_view kWithSystemStore = "client+system-";

}  // namespace

void SslContextDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

SslContext ReadKeyPair(const std::string& cert_path, const std::string& key_path,
                       const std::string& key_password, Failure& failure) {
  SslContext context(SSL_CTX_new(TLS_method()));
  std::string password = key_password;
  SSL_CTX_set_default_passwd_cb(context.get(), GivePassword);
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), &password);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_path.c_str()) != 1) {
    failure = {"file", "tls", 0, TakeOpensslError()};
    return nullptr;
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    // The right file with a wrong password, the key of another certificate, or no key at all.
    bool is_key = false;
    std::string first;
    while (const unsigned long code = ERR_get_error()) {
      is_key = TellsOfAKey(code);
      if (first.empty() || is_key) first = ErrorText(code);
      if (is_key) break;
    }
    ERR_clear_error();
    failure = {is_key ? "key" : "file", "tls", 0, first};
    return nullptr;
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    failure = {"key", "tls", 0, TakeOpensslError()};
    return nullptr;
  }
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), nullptr);
  return context;
}

SslContext ReadCaFile(const std::string& path, Failure& failure) {
  SslContext context(SSL_CTX_new(TLS_method()));
  ERR_clear_error();
  if (SSL_CTX_load_verify_locations(context.get(), path.c_str(), nullptr) == 1) return context;
  failure = {"file", "tls", 0, TakeOpensslError()};
  return nullptr;
}

bool CanTalk(lws* wsi) {
  SSL* ssl = reinterpret_cast<SSL*>(lws_get_ssl(wsi));
  return ssl == nullptr || SSL_is_init_finished(ssl) != 0;
}

void CountTls(lws* wsi, ServerCounters& counters) {
  const SSL* ssl = reinterpret_cast<SSL*>(lws_get_ssl(wsi));
  if (ssl == nullptr) return;
  ++(SSL_version(ssl) == TLS1_3_VERSION ? counters.tls13 : counters.tls12);
  if (SSL_session_reused(ssl) == 1) ++counters.tls_resumed;
}

void AddSystemStore(const lws_vhost* vhost, ssl_ctx_st* context) {
  if (!std::string_view(lws_get_vhost_name(const_cast<lws_vhost*>(vhost))).starts_with(kWithSystemStore))
    return;
  const std::string path = SystemStore();
  if (path.empty()) {
    AddSystemTrust(context);
  } else {
    SSL_CTX_load_verify_locations(context, path.c_str(), nullptr);
  }
  ERR_clear_error();
}

std::string PeerCertificate(lws* wsi) {
  const SSL* ssl = lws_get_ssl(wsi);
  if (ssl == nullptr) return {};
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl), X509_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
  if (certificate == nullptr || text == nullptr || PEM_write_bio_X509(text.get(), certificate.get()) != 1) {
    return {};
  }
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return std::string(bytes, static_cast<size_t>(size));
}

int JudgeServerCertificate(ClientAttempt& attempt, x509_store_ctx_st* store, bool trusted) {
  const ClientConfig& config = attempt.config();
  if (config.trust == Trust::kSkip) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 0;
  }
  const bool lax = config.trust == Trust::kLax || config.trust == Trust::kLaxSkip;
  if (!trusted && lax && NetstackForgives(X509_STORE_CTX_get_error(store), config.trust)) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 0;
  }
  if (!trusted) {
    attempt.NoteVerdict(X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
    return 1;
  }
  if (lax || X509_STORE_CTX_get_error_depth(store) != 0) return 0;
  // The last of the chain to be asked about is the server's own certificate: it must bear the name we asked
  // for.
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  const std::string& name = config.server_name;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const bool is_address = inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
                          inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
  const int matches = is_address ? X509_check_ip_asc(certificate, name.c_str(), 0)
                                 : X509_check_host(certificate, name.data(), name.size(),
                                                   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr);
  if (matches == 1) return 0;
  attempt.NoteVerdict("the certificate is for another host name");
  X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  return 1;
}

void NoteAlert(ClientAttempt& attempt, const lws_ssl_info& info) {
  // lws's mask lets ours through as well: OpenSSL sends one when TCP just ends.
  if ((info.where & SSL_CB_READ) == 0) return;
  const int alert = info.ret;
  if (SSL_alert_type_string(alert)[0] != 'F') return;
  // TLS 1.3's, which OpenSSL 3.0 has no name for.
  constexpr int kCertificateRequired = 116;
  std::string text =
      (alert & 0xff) == kCertificateRequired ? "certificate required" : SSL_alert_desc_string_long(alert);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  attempt.NoteAlert("the server's alert: " + text);
}

lws_vhost* ClientTls::VhostFor(lws_context* context, const ClientConfig& config, const std::string& proxy,
                               Failure& failure) {
  const long options = OptionsOf(config.min_tls_version, config.netstack);
  std::string key = "plain";
  std::string ca_path;
  bool with_system = false;
  if (config.tls) {
    ca_path = config.ca_path.empty() ? SystemStore() : config.ca_path;
    with_system = config.ca_path.empty() ? ca_path.empty() : config.ca_adds_to_system;
    key = "tls\n" + Fingerprint(ca_path) + '\n' + Fingerprint(config.cert_path) + '\n' +
          Fingerprint(config.key_path) + '\n' + config.key_password + '\n' + std::to_string(options) +
          (with_system ? "+" : "");
  }
  key += '\n' + proxy + ' ' + std::to_string(config.proxy_port);
  if (const auto known = vhosts_.find(key); known != vhosts_.end()) return known->second;
  if (config.tls && !config.ca_path.empty() && ReadCaFile(config.ca_path, failure) == nullptr) return nullptr;
  if (config.tls && !config.cert_path.empty() &&
      ReadKeyPair(config.cert_path, config.key_path, config.key_password, failure) == nullptr) {
    return nullptr;
  }
  const std::string name =
      std::string(with_system ? kWithSystemStore : "client-") + std::to_string(vhosts_.size());
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.vhost_name = name.c_str();
  info.protocols = Protocols();
  info.log_cx = lwsl_context_get_cx(context);
  info.connect_timeout_secs = 3600;  // ours is the connection's
  // An address that is set, though empty, keeps lws from reading the environment for a proxy (C20).
  const std::string proxy_address = proxy.find(':') == std::string::npos ? proxy : '[' + proxy + ']';
  info.http_proxy_address = proxy.empty() ? "" : proxy_address.c_str();
  info.http_proxy_port = proxy.empty() ? 0 : config.proxy_port;
  info.options = LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
  info.ssl_info_event_mask = SSL_CB_READ_ALERT;
  info.ssl_client_options_set = options;
  if (config.tls) {
    if (!ca_path.empty()) info.client_ssl_ca_filepath = ca_path.c_str();
    if (!config.cert_path.empty()) {
      info.client_ssl_cert_filepath = config.cert_path.c_str();
      info.client_ssl_private_key_filepath = config.key_path.c_str();
      if (!config.key_password.empty()) info.client_ssl_private_key_password = config.key_password.c_str();
    }
  }
  ERR_clear_error();
  lws_vhost* vhost = lws_create_vhost(context, &info);
  if (vhost == nullptr) {
    failure = {"config", "tls", 0, "lws could not make the virtual host"};
    return nullptr;
  }
  if (config.tls) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    if (lws_init_vhost_client_ssl(&info, vhost) != 0) {
      failure = {"config", "tls", 0, TakeOpensslError()};
      lws_vhost_destroy(vhost);
      return nullptr;
    }
  }
  vhosts_.emplace(std::move(key), vhost);
  return vhost;
}

}  // namespace ohws
