// A client's way from its configuration to an established connection, or to one failure: the addresses in
// turn, what goes into the upgrade request, what comes out of the answer. Lives until the connection is
// established; what lws tells of its wsi in that time comes here. Engine thread.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/up_writer.h"
#include "protocol/deflate_codec.h"
#include "protocol/head_meter.h"
#include "protocol/limits.h"

namespace ohws {

class Core;
class Connection;

// lib/transport.ts, Trust: what is demanded of the server's certificate.
enum class Trust : uint8_t { kVerify, kSkip, kLax, kLaxSkip };

// lib/transport.ts, ClientConfig; the record carries these names and values.
struct ClientConfig {
  std::vector<std::string> addresses;
  uint16_t port = 0;
  bool tls = false;
  std::string host;
  std::string server_name;
  std::string path;
  std::string origin;
  std::string protocol;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string ca_path;
  std::string cert_path;
  std::string key_path;
  std::string key_password;
  bool ca_adds_to_system = false;
  Trust trust = Trust::kVerify;
  std::optional<int> min_tls_version;        // 0-3: TLS 1.0-1.3
  bool netstack = false;                     // the rules: netstack's, or the documented ones
  std::vector<std::string> proxy_addresses;  // empty: no proxy
  uint16_t proxy_port = 0;
  std::string proxy_user;
  std::string proxy_password;
  std::shared_ptr<const EndpointLimits> limits;
  std::optional<DeflateOptions> deflate;  // without it compression is not offered

  static ClientConfig Decode(std::string_view strings);
};

class ClientAttempt {
 public:
  ClientAttempt(Core& core, ClientConfig config)
      : core_(core),
        config_(std::move(config)),
        head_(config_.limits->header_bytes, config_.limits->header_lines) {}
  ClientAttempt(const ClientAttempt&) = delete;
  ClientAttempt& operator=(const ClientAttempt&) = delete;

  // Tells JavaScript that the request was created, or why it cannot be, and begins with the first address.
  // False if it cannot: the connection is over then.
  bool Start(Connection& connection);

  const ClientConfig& config() const { return config_; }

  // From lws.
  void OnTcpConnected() { tcp_connected_ = true; }
  // The CONNECT request for our proxy; its size.
  size_t WriteProxyRequest(char* out, size_t room) const;
  // What the proxy answers: 1 if there is more to come, 2 if the tunnel is open, -1 if it is not to be.
  int ReadProxyAnswer(Connection& connection, int fd);
  // Appends our header lines at `*at`; false if they do not fit.
  bool AppendHeaders(char** at, size_t room);
  // An answer with status 101 has come: 1 if it is good, -1 if it is not, 0 if lws is to judge it.
  int JudgeAnswer(lws* wsi, std::string_view awaited_accept);
  // What was agreed on.
  std::unique_ptr<DeflateSession> TakeDeflate() { return std::move(deflate_); }
  // Bytes of the answer's head: 0, or -1 if there are too many of them.
  int OnHeadBytes(std::string_view bytes);
  // The answer is good and its headers can be read; kept until the connection is established.
  void ReadAnswer(lws* wsi);
  void PostOpened(uint32_t id) const;
  // This address has failed.
  void OnFailed(Connection& connection, lws* wsi, std::string_view text);
  // lws frees the wsi; if it has not said why, this is the failure.
  void OnWsiDestroyed(Connection& connection);
  // What the verification of the server's certificate said, for the failure to come.
  void NoteVerdict(std::string_view text) { verdict_ = text; }
  void NoteAlert(std::string text) { alert_ = std::move(text); }

 private:
  bool via_proxy() const { return !config_.proxy_addresses.empty(); }
  const std::vector<std::string>& addresses() const {
    return via_proxy() ? config_.proxy_addresses : config_.addresses;
  }
  // False if the answer's extensions are not what was offered.
  bool AgreeOnDeflate(std::string_view extensions);
  std::string_view PhaseOf(bool answered) const;
  std::string DetailOf(std::string_view text) const;
  lws_vhost* NextVhost(Failure& failure) const;
  void TryNext(Connection& connection);

  Core& core_;
  const ClientConfig config_;
  size_t next_address_ = 0;
  bool tcp_connected_ = false;
  bool tunnel_open_ = false;
  HeadMeter head_;
  std::string proxy_answer_;  // as far as it has come
  std::string proxy_error_;
  bool starting_ = false;  // within lws's call that begins a connect, whose result tells of failures
  bool request_sent_ = false;
  std::string verdict_;  // what we found wrong ourselves: with the certificate, or with our request
  std::string alert_;    // the server's, if it sent one
  StringListWriter answer_;
  DeflateReservation deflate_room_;  // of an offer of compression; empty if there was none
  std::unique_ptr<DeflateSession> deflate_;
};

}  // namespace ohws
