#include "engine/client_attempt.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>

#include "engine/connection.h"
#include "engine/core.h"
#include "engine/sockets.h"
#include "ohws_lws_patches.h"
#include "protocol/handshake.h"

namespace ohws {

namespace {

// A heartbeat of lws's own would follow rules of its own: ours is in protocol/heartbeat.h.
constexpr lws_retry_bo_t kNoHeartbeatOfLws{};

std::string Base64(const std::string& bytes) {
  // lws wants more room than the text takes.
  std::string text((bytes.size() + 2) / 3 * 4 + 8, '\0');
  const int size = lws_b64_encode_string(bytes.data(), static_cast<int>(bytes.size()), text.data(),
                                         static_cast<int>(text.size()));
  text.resize(static_cast<size_t>(std::max(size, 0)));
  return text;
}

template <typename Number>
Number ToNumber(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// lws gives the system's error only as the end of its text ("conn fail: 111").
int ErrnoIn(std::string_view text) {
  constexpr std::string_view kBefore = "conn fail: ";
  const size_t at = text.find(kBefore);
  return at == std::string_view::npos ? 0 : ErrnoOf(ToNumber<int>(text.substr(at + kBefore.size())));
}

std::string HeaderValue(lws* wsi, lws_token_indexes token) {
  std::string value(static_cast<size_t>(std::max(lws_hdr_total_length(wsi, token), 0)) + 1, '\0');
  const int size = lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), token);
  value.resize(static_cast<size_t>(std::max(size, 0)));
  return value;
}

// Every line of a header that lws knows: it keeps them apart as fragments.
void AddKnownHeader(lws* wsi, lws_token_indexes token, StringListWriter& strings) {
  std::string_view name = reinterpret_cast<const char*>(lws_token_to_string(token));
  if (name.size() < 2 || name.back() != ':') return;
  name.remove_suffix(1);
  for (int n = 0;; ++n) {
    const int size = lws_hdr_fragment_length(wsi, token, n);
    if (size <= 0) return;
    std::string value(static_cast<size_t>(size) + 1, '\0');
    const int copied = lws_hdr_copy_fragment(wsi, value.data(), static_cast<int>(value.size()), token, n);
    if (copied < 0) return;
    value.resize(static_cast<size_t>(copied));
    strings.Add(name).Add(TrimBlanks(value));
  }
}

struct CustomHeaders {
  lws* wsi;
  StringListWriter* strings;
};

void AddCustomHeader(const char* name, int size, void* opaque) {
  const auto& headers = *static_cast<CustomHeaders*>(opaque);
  const int value_size = lws_hdr_custom_length(headers.wsi, name, size);
  if (value_size < 0) return;
  std::string value(static_cast<size_t>(value_size) + 1, '\0');
  const int copied =
      lws_hdr_custom_copy(headers.wsi, value.data(), static_cast<int>(value.size()), name, size);
  if (copied < 0) return;
  value.resize(static_cast<size_t>(copied));
  std::string_view key(name, static_cast<size_t>(size));
  if (!key.empty() && key.back() == ':') key.remove_suffix(1);
  headers.strings->Add(key).Add(TrimBlanks(value));
}

// What RFC 6455 §4.1 and RFC 9110 §5.5 forbid in an answer; empty if there is nothing.
std::string_view FaultOfAnswer(lws* wsi, std::string_view awaited_accept, std::string_view subprotocols) {
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP1_0) > 0) return "the server answered with HTTP/1.0";
  const std::string upgrade = HeaderValue(wsi, WSI_TOKEN_UPGRADE);
  const std::string connection = HeaderValue(wsi, WSI_TOKEN_CONNECTION);
  const std::string accept = HeaderValue(wsi, WSI_TOKEN_ACCEPT);
  const std::string subprotocol = HeaderValue(wsi, WSI_TOKEN_PROTOCOL);
  const std::string_view fault =
      FaultOfUpgradeAnswer({upgrade, connection, accept, subprotocol}, awaited_accept, subprotocols);
  if (!fault.empty()) return fault;
  StringListWriter headers;
  for (int token = 0; token < _WSI_TOKEN_CLIENT_SENT_PROTOCOLS; ++token) {
    AddKnownHeader(wsi, static_cast<lws_token_indexes>(token), headers);
  }
  CustomHeaders custom{wsi, &headers};
  lws_hdr_custom_name_foreach(wsi, AddCustomHeader, &custom);
  StringListReader reader(headers.bytes());
  while (const auto name = reader.Next()) {
    if (!IsToken(*name) || !IsFieldValue(reader.Next().value_or(""))) {
      return "the server's answer has a malformed header";
    }
  }
  return {};
}

}  // namespace

ClientConfig ClientConfig::Decode(std::string_view strings) {
  ClientConfig config;
  EndpointLimits limits;
  StringListReader reader(strings);
  while (const auto name = reader.Next()) {
    const std::string value(reader.Next().value_or(""));
    if (*name == "address") {
      config.addresses.push_back(value);
    } else if (*name == "port") {
      config.port = ToNumber<uint16_t>(value);
    } else if (*name == "tls") {
      config.tls = value == "1";
    } else if (*name == "host") {
      config.host = value;
    } else if (*name == "serverName") {
      config.server_name = value;
    } else if (*name == "path") {
      config.path = value;
    } else if (*name == "origin") {
      config.origin = value;
    } else if (*name == "protocol") {
      config.protocol = value;
    } else if (*name == "header") {
      config.headers.emplace_back(value, reader.Next().value_or(""));
    } else if (*name == "limit") {
      limits.Set(value, reader.Next().value_or(""));
    } else if (*name == "caPath") {
      config.ca_path = value;
    } else if (*name == "certPath") {
      config.cert_path = value;
    } else if (*name == "keyPath") {
      config.key_path = value;
    } else if (*name == "keyPassword") {
      config.key_password = value;
    } else if (*name == "caAddsToSystem") {
      config.ca_adds_to_system = value == "1";
    } else if (*name == "trust") {
      config.trust = value == "skip"      ? Trust::kSkip
                     : value == "lax"     ? Trust::kLax
                     : value == "laxSkip" ? Trust::kLaxSkip
                                          : Trust::kVerify;
    } else if (*name == "minTlsVersion") {
      config.min_tls_version = ToNumber<int>(value);
    } else if (*name == "lendsBinary") {
      limits.lend_binary = value == "1";
    } else if (*name == "rules") {
      config.netstack = value == "netstack";
    } else if (*name == "proxyAddress") {
      config.proxy_addresses.push_back(value);
    } else if (*name == "proxyPort") {
      config.proxy_port = ToNumber<uint16_t>(value);
    } else if (*name == "proxyUser") {
      config.proxy_user = value;
    } else if (*name == "proxyPassword") {
      config.proxy_password = value;
    } else if (*name == "deflate") {
      if (!config.deflate.has_value()) config.deflate.emplace();
      config.deflate->Set(value, ToNumber<size_t>(reader.Next().value_or("")));
    }
  }
  limits.message.validate_utf8 = !config.netstack;
  config.limits = std::make_shared<const EndpointLimits>(limits);
  return config;
}

bool ClientAttempt::Start(Connection& connection) {
  Failure failure;
  if (addresses().empty()) {
    failure = {"config", "resolve", 0, "no address"};
  } else {
    NextVhost(failure);
  }
  StringListWriter strings;
  if (!failure.kind.empty()) failure.AppendTo(strings);
  core_.up().Post(UpKind::kStarted, connection.id(), 0, 0, 0, strings.bytes());
  if (!failure.kind.empty()) return false;
  TryNext(connection);
  return true;
}

lws_vhost* ClientAttempt::NextVhost(Failure& failure) const {
  return core_.client_tls().VhostFor(core_.context(), config_, via_proxy() ? addresses()[next_address_] : "",
                                     failure);
}

void ClientAttempt::TryNext(Connection& connection) {
  Failure failure;
  lws_vhost* vhost = NextVhost(failure);
  const std::string& address = via_proxy() ? config_.server_name : addresses()[next_address_];
  ++next_address_;
  if (vhost == nullptr) {
    OnFailed(connection, nullptr, failure.detail);
    return;
  }
  tcp_connected_ = false;
  tunnel_open_ = false;
  proxy_answer_.clear();
  request_sent_ = false;
  head_ = HeadMeter(config_.limits->header_bytes, config_.limits->header_lines);
  verdict_.clear();
  alert_.clear();
  lws_client_connect_info info{};
  info.context = core_.context();
  info.vhost = vhost;
  info.address = address.c_str();
  info.port = config_.port;
  info.path = config_.path.c_str();
  info.host = config_.host.c_str();
  info.origin = config_.origin.c_str();
  info.protocol = config_.protocol.empty() ? nullptr : config_.protocol.c_str();
  info.local_protocol_name = "";
  info.alpn = "http/1.1";
  info.ietf_version_or_minus_one = -1;
  info.retry_and_idle_policy = &kNoHeartbeatOfLws;
  info.opaque_user_data = &connection;
  info.pwsi = connection.wsi_slot();
  info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  // The certificate is judged by tls.cpp alone, name included: lws's own check cannot do IPv6 and long names.
  if (config_.tls) info.ssl_connection |= LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
  connection.LimitHandshake();
  starting_ = true;
  const bool begun = lws_client_connect_via_info(&info) != nullptr;
  starting_ = false;
  if (!begun) OnFailed(connection, nullptr, "the request could not be made");
}

size_t ClientAttempt::WriteProxyRequest(char* out, size_t room) const {
  const std::string& name = config_.server_name;
  const std::string target =
      (name.find(':') == std::string::npos ? name : '[' + name + ']') + ':' + std::to_string(config_.port);
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\nUser-agent: lws\r\n";
  if (!config_.proxy_user.empty() || !config_.proxy_password.empty()) {
    request +=
        "Proxy-authorization: Basic " + Base64(config_.proxy_user + ':' + config_.proxy_password) + "\r\n";
  }
  request += "\r\n";
  if (request.size() > room) return 0;
  request.copy(out, request.size());
  return request.size();
}

int ClientAttempt::ReadProxyAnswer(Connection& connection, int fd) {
  constexpr std::string_view kEndOfHead = "\r\n\r\n";
  std::array<uint8_t, 2048> piece{};
  // Only the head is ours: what follows belongs to the tunnel.
  const ptrdiff_t seen = Peek(fd, piece);
  if (seen < 0 && NothingNow()) return 1;
  if (seen <= 0) {
    proxy_error_ = "the proxy ended the connection";
    return -1;
  }
  const size_t before = proxy_answer_.size();
  proxy_answer_.append(reinterpret_cast<const char*>(piece.data()), static_cast<size_t>(seen));
  const size_t end = proxy_answer_.find(kEndOfHead, before < 3 ? 0 : before - 3);
  if (end != std::string::npos) proxy_answer_.resize(end + kEndOfHead.size());
  if (Receive(fd, std::span(piece).first(proxy_answer_.size() - before)) < 0) return -1;
  if (proxy_answer_.size() >= 12 && !proxy_answer_.starts_with("HTTP/1.")) {
    proxy_error_ = "the proxy does not speak HTTP";
    return -1;
  }
  if (proxy_answer_.size() >= 13 && (proxy_answer_.compare(9, 3, "200") != 0 ||
                                     std::isdigit(static_cast<unsigned char>(proxy_answer_[12])) != 0)) {
    proxy_error_ = "the proxy answered " + proxy_answer_.substr(9, proxy_answer_.find_first_of("\r\n") - 9);
    return -1;
  }
  if (end == std::string::npos) {
    if (proxy_answer_.size() <= config_.limits->header_bytes) return 1;
    proxy_error_ = "the proxy's answer is too long";
    return -1;
  }
  tunnel_open_ = true;
  connection.LimitHandshake();
  return 2;
}

bool ClientAttempt::AppendHeaders(char** at, size_t room) {
  request_sent_ = true;
  const auto append = [this, at, &room](std::string_view name, std::string_view value) {
    const size_t size = name.size() + 2 + value.size() + 2;
    if (size > room) {
      verdict_ = "the request is too large for one write";
      return false;
    }
    char* p = *at;
    p = std::copy(name.begin(), name.end(), p);
    p = std::copy_n(": ", 2, p);
    p = std::copy(value.begin(), value.end(), p);
    *at = std::copy_n("\r\n", 2, p);
    room -= size;
    return true;
  };
  for (const auto& [name, value] : config_.headers) {
    if (!append(name, value)) return false;
  }
  if (!config_.deflate.has_value() || OHWS_LWS_PATCH_UPGRADE_ANSWER == 0) return true;
  const size_t bytes = Decompressor::MaxBytes(config_.deflate->server_max_window_bits);
  deflate_room_ = DeflateReservation::Of(core_.deflate().budget(), bytes);
  return deflate_room_.empty() || append("Sec-WebSocket-Extensions", DeflateOffer(*config_.deflate));
}

int ClientAttempt::JudgeAnswer(lws* wsi, std::string_view awaited_accept) {
  // As on a device: by lws. It knows no extensions there.
  if (config_.netstack) return 0;
  verdict_ = FaultOfAnswer(wsi, awaited_accept, config_.protocol);
  if (verdict_.empty() && !AgreeOnDeflate(TrimBlanks(HeaderValue(wsi, WSI_TOKEN_EXTENSIONS)))) {
    verdict_ = "the server's extensions are not what was offered";
  }
  return verdict_.empty() ? 1 : -1;
}

bool ClientAttempt::AgreeOnDeflate(std::string_view extensions) {
  if (deflate_room_.empty()) return extensions.empty();
  const DeflateDecision decision = JudgeDeflateAnswer(*config_.deflate, extensions);
  if (decision.kind == DeflateDecision::Kind::kDeflate) {
    deflate_ = std::make_unique<DeflateSession>(Role::kClient, *config_.deflate, decision.agreed,
                                                std::move(deflate_room_), core_.deflate());
  }
  return decision.kind != DeflateDecision::Kind::kRefuse;
}

int ClientAttempt::OnHeadBytes(std::string_view bytes) {
  switch (head_.Feed(bytes)) {
    case HeadMeter::Verdict::kFits:
      return 0;
    case HeadMeter::Verdict::kTooManyBytes:
      verdict_ = "too many bytes of headers in the answer";
      return -1;
    case HeadMeter::Verdict::kTooManyLines:
      verdict_ = "too many header lines in the answer";
      return -1;
  }
  return -1;
}

void ClientAttempt::ReadAnswer(lws* wsi) {
  // "101 Switching Protocols": the phrase is what follows the code.
  const std::string status = HeaderValue(wsi, WSI_TOKEN_HTTP);
  const size_t blank = status.find(' ');
  answer_.Add(blank == std::string::npos ? "" : std::string_view(status).substr(blank + 1));
  answer_.Add(TrimBlanks(HeaderValue(wsi, WSI_TOKEN_PROTOCOL)));
  for (int token = 0; token < WSI_TOKEN_COUNT; ++token) {
    if (token == WSI_TOKEN_HTTP || token >= _WSI_TOKEN_CLIENT_SENT_PROTOCOLS) continue;
    AddKnownHeader(wsi, static_cast<lws_token_indexes>(token), answer_);
  }
  CustomHeaders custom{wsi, &answer_};
  lws_hdr_custom_name_foreach(wsi, AddCustomHeader, &custom);
}

void ClientAttempt::PostOpened(uint32_t id) const {
  core_.up().Post(UpKind::kOpened, id, 0, 0, 0, answer_.bytes());
}

void ClientAttempt::OnWsiDestroyed(Connection& connection) {
  *connection.wsi_slot() = nullptr;
  if (!starting_) OnFailed(connection, nullptr, "the connection ended");
}

void ClientAttempt::OnFailed(Connection& connection, lws* wsi, std::string_view text) {
  if (!tcp_connected_ && next_address_ < addresses().size() &&
      connection.state() == Connection::State::kConnecting) {
    if (wsi != nullptr) lws_set_opaque_user_data(wsi, nullptr);
    *connection.wsi_slot() = nullptr;
    // Not from within lws's callback, which is still busy with the wsi that failed.
    core_.Defer([this, &core = core_, id = connection.id()] {
      Connection* waiting = core.Find(id);
      if (waiting != nullptr && waiting->attempt() == this &&
          waiting->state() == Connection::State::kConnecting) {
        TryNext(*waiting);
      }
    });
    return;
  }
  const unsigned int status = wsi == nullptr ? 0 : lws_http_client_http_response(wsi);
  const bool answered = status >= 100 && status <= 999;
  connection.OnConnectFailed(answered ? static_cast<uint16_t>(status) : uint16_t{0},
                             {"network", PhaseOf(answered), ErrnoIn(text), DetailOf(text)});
}

std::string_view ClientAttempt::PhaseOf(bool answered) const {
  if (via_proxy() && !tunnel_open_) return "proxy";
  if (answered) return "handshake";
  if (!tcp_connected_) return "connect";
  // A server of TLS 1.3 judges our certificate after the request has left.
  return config_.tls && (!request_sent_ || !alert_.empty()) ? "tls" : "handshake";
}

// What we found ourselves, else OpenSSL's words, else the server's alert, else lws's words.
std::string ClientAttempt::DetailOf(std::string_view text) const {
  if (!verdict_.empty()) return verdict_;
  if (!proxy_error_.empty()) return proxy_error_;
  if (!alert_.empty() && !text.starts_with("tls: error")) return alert_;
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace ohws
