// TLS: what the configuration of a client means for lws and OpenSSL, the verdict on a server's certificate,
// and files of certificates, keys and CAs. OpenSSL is Node's own: nothing is linked, the names resolve
// against the executable. Engine thread.
#pragma once

#include <libwebsockets.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/up_writer.h"

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace ohws {

class ClientAttempt;
struct ClientConfig;
struct ServerCounters;

struct SslContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using SslContext = std::unique_ptr<ssl_ctx_st, SslContextDeleter>;

// A context with the certificate chain and the key of these PEM files. Null if they are none, and what is
// wrong: "file" for one that cannot be used, "key" for a wrong password or a key of another certificate.
SslContext ReadKeyPair(const std::string& cert_path, const std::string& key_path,
                       const std::string& key_password, Failure& failure);
// A context that trusts the certificates of this PEM file alone; null if it has none ("file").
SslContext ReadCaFile(const std::string& path, Failure& failure);

// Is there nothing, or no TLS handshake any more, between us and the peer's HTTP?
bool CanTalk(lws* wsi);

// Counts an established connection by its TLS version, if it has one.
void CountTls(lws* wsi, ServerCounters& counters);

// Adds the system's store to a client vhost that has a CA file and wants both (C16); lws asks when it makes
// one.
void AddSystemStore(const lws_vhost* vhost, ssl_ctx_st* context);

// A TLS alert of the server, in OpenSSL's numbering: the reason of a failure to come. What we find ourselves
// is in lws's words.
void NoteAlert(ClientAttempt& attempt, const lws_ssl_info& info);

// The client's certificate as PEM; empty without TLS, or if it has sent none.
std::string PeerCertificate(lws* wsi);

// lws asks once for each certificate of the chain. 0 goes on, 1 refuses the server.
int JudgeServerCertificate(ClientAttempt& attempt, x509_store_ctx_st* store, bool trusted);

// The vhosts of clients: one for each set of trust, client certificate and proxy, since lws keeps OpenSSL's
// context there and reading a system's whole store takes milliseconds.
class ClientTls {
 public:
  // nullptr, and why, if the files of the configuration cannot be used. The vhost lives as long as the
  // context.
  // `proxy`: the address of the proxy to use, empty for none.
  lws_vhost* VhostFor(lws_context* context, const ClientConfig& config, const std::string& proxy,
                      Failure& failure);

 private:
  std::map<std::string, lws_vhost*> vhosts_;  // by what is configured
};

}  // namespace ohws
