// What a ServerListener makes of requests: whom one speaks for, whether it is right, within the limits and
// wanted, the answer, and the connection that it becomes. Engine thread.
#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "engine/connection.h"
#include "engine/core.h"
#include "engine/server_listener.h"
#include "engine/sockets.h"
#include "engine/tls.h"
#include "ohws_lws_patches.h"
#include "protocol/forwarded.h"
#include "protocol/origin.h"

namespace ohws {

namespace {

// Of 4 KiB each: the largest head.
constexpr size_t kMaxHeadReads = 16;

std::string Header(lws* wsi, lws_token_indexes token) {
  std::string value(static_cast<size_t>(std::max(lws_hdr_total_length(wsi, token), 0)) + 1, '\0');
  value.resize(static_cast<size_t>(
      std::max(lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), token), 0)));
  return value;
}

// What lws gets to read of a request that we have found good: the headers that it and we ask it for, and what
// it wants to be there. It decodes and cuts targets in ways of its own, compares some values to the letter,
// and has room for so many lines.
std::string RequestForLws(const HttpHead& head) {
  constexpr std::string_view kNames[] = {"origin", "sec-websocket-key", "sec-websocket-protocol",
                                         "sec-websocket-extensions"};
  std::string text = "GET / HTTP/1.1\r\nHost: -\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  for (const std::string_view name : kNames) {
    const std::string value = head.Value(name);
    if (!value.empty()) text.append(name).append(": ").append(value).append("\r\n");
  }
  return text.append("\r\n");
}

// What netstack's lws has room for.
constexpr size_t kNetstackHeaderBytes = 4096;

size_t HeaderBytes(lws* wsi) {
  size_t bytes = 0;
  for (int token = 0; token < WSI_TOKEN_COUNT; ++token) {
    const int size = lws_hdr_total_length(wsi, static_cast<lws_token_indexes>(token));
    if (size > 0) bytes += static_cast<size_t>(size);
  }
  struct Custom {
    lws* wsi;
    size_t bytes;
  } custom{wsi, 0};
  lws_hdr_custom_name_foreach(
      wsi,
      [](const char* name, int size, void* opaque) {
        auto& sum = *static_cast<Custom*>(opaque);
        sum.bytes += static_cast<size_t>(size + std::max(lws_hdr_custom_length(sum.wsi, name, size), 0));
      },
      &custom);
  return bytes + custom.bytes;
}

// The answer leaves before the connection ends; lws flushes what the kernel does not take at once.
int AnswerAndEnd(lws* wsi, std::string answer) {
  lws_write(wsi, reinterpret_cast<unsigned char*>(answer.data()), answer.size(), LWS_WRITE_HTTP_HEADERS);
  return -1;
}

constexpr int kForbidden = 403;
constexpr int kRequestTimeout = 408;
constexpr int kTooManyRequests = 429;
constexpr int kHeadTooLarge = 431;
constexpr int kUnavailable = 503;
constexpr std::string_view kOriginNotAllowed = "origin not allowed";
constexpr std::string_view kGoingAway = "the server is going away";

int StatusOf(Verdict verdict) {
  return verdict == Verdict::kBanned || verdict == Verdict::kRateExceeded ? kTooManyRequests : kUnavailable;
}

std::string_view Reason(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAccept:
      return "";
    case Verdict::kServerFull:
      return "too many connections";
    case Verdict::kTooManyClients:
      return "too many clients";
    case Verdict::kTooManyConnections:
      return "too many connections of this client";
    case Verdict::kBanned:
    case Verdict::kRateExceeded:
      return "too many connections in a short time";
  }
  return "";
}

RefusalReason Counted(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAccept:
    case Verdict::kServerFull:
      break;
    case Verdict::kTooManyClients:
      return RefusalReason::kClients;
    case Verdict::kTooManyConnections:
      return RefusalReason::kConnectionsOfClient;
    case Verdict::kBanned:
    case Verdict::kRateExceeded:
      return RefusalReason::kRate;
  }
  return RefusalReason::kConnections;
}

}  // namespace

bool ServerListener::IsTrustedProxy(std::string_view ip) const {
  const auto address = IpAddress::Parse(ip);
  return address.has_value() && ContainsAny(config_.trusted_proxies, *address);
}

std::string ServerListener::ClientIp(lws* wsi) const {
  const std::string_view client = core_.handshakes().Client(wsi);
  return client.empty() ? core_.handshakes().PeerOf(wsi).ip : std::string(client);
}

void ServerListener::NoteForwarded(lws* wsi, const HttpHead& head) {
  if (config_.trusted_proxies.empty() || config_.proxy_source == ProxySource::kProxyProtocol) return;
  const auto peer = IpAddress::Parse(core_.handshakes().PeerOf(wsi).ip);
  if (!peer.has_value()) return;
  const bool standard = config_.proxy_source == ProxySource::kForwarded;
  const std::string value = head.Value(standard ? "forwarded" : "x-forwarded-for");
  const IpAddress client = standard ? ClientOfForwarded(*peer, value, config_.trusted_proxies)
                                    : ClientOfForwardedFor(*peer, value, config_.trusted_proxies);
  if (client != *peer) core_.handshakes().SetClient(wsi, client.ToText());
}

void ServerListener::RefuseAtAccept(int fd, std::string_view ip) {
  constexpr std::string_view kWhy = "too many connections in handshake";
  // Before TLS there is no way to say so.
  const bool answered = !config_.netstack && !tls_.enabled();
  if (answered) {
    const std::string answer = BuildHttpRefusal(kUnavailable, {}, kWhy);
    Send(fd, {reinterpret_cast<const uint8_t*>(answer.data()), answer.size()});
    EndOutput(fd);
    // A request that has come already: unread, it would make a reset of the end, which takes the answer away.
    // No more than the largest request, since a peer may send as fast as this reads.
    std::array<uint8_t, 4096> unread{};
    for (size_t reads = 0; reads < kMaxHeadReads && Receive(fd, unread) > 0; ++reads) {
    }
  }
  CloseSocket(fd);
  ++counters_.tcp_accepted;
  counters_.CountRefusal(RefusalReason::kHandshakes);
  ReportRefusal(ip, answered ? kUnavailable : 0, kWhy);
}

void ServerListener::OnHandshakeTimeout(lws* wsi) {
  const bool held = requests_.Find(wsi) != nullptr;
  if (state_ == State::kEnding || (held && state_ != State::kListening)) {
    if (held) {
      GiveUp(wsi);
    } else if (drains() && !config_.netstack && CanTalk(wsi)) {
      RefuseToDrain(wsi);
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    return;
  }
  counters_.CountRefusal(RefusalReason::kTimeout);
  if (!config_.netstack) {
    const bool ours = EndRequest(wsi);
    const std::string_view why = ours ? "nobody has decided in time" : "the handshake took too long";
    const bool answered = CanTalk(wsi);
    const int status = ours ? kUnavailable : kRequestTimeout;
    ReportRefusal(ClientIp(wsi), answered ? status : 0, why);
    if (answered) AnswerAndEnd(wsi, BuildHttpRefusal(status, {}, why));
  }
  lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

int ServerListener::OnHeadBytes(lws* wsi, std::string_view bytes) {
  // The documented rules have measured what came, and lws parses what we have made of it.
  if (!config_.netstack) return 0;
  return core_.handshakes().Measure(wsi, bytes) == HeadMeter::Verdict::kFits ? 0 : Drop(RefusalReason::kHead);
}

int ServerListener::OnRequestBytes(lws* wsi, lws_tokens& bytes) {
  if (config_.netstack) return 0;
  HttpHead* head = core_.handshakes().Request(wsi);
  if (head == nullptr) return -1;
  if (const UpgradeRequests::Request* request = requests_.Find(wsi)) {
    // The last byte of the head has been left there, so that lws comes back for it.
    bytes.token = nullptr;
    bytes.len = 0;
    if (!request->accepted) return 0;
    if (state_ != State::kListening) return GiveUp(wsi);
    GiveHeadToLws(*head, bytes);
    return 1;
  }
  const std::string_view came(reinterpret_cast<const char*>(bytes.token), static_cast<size_t>(bytes.len));
  switch (core_.handshakes().Measure(wsi, came)) {
    case HeadMeter::Verdict::kFits:
      break;
    case HeadMeter::Verdict::kTooManyBytes:
      counters_.CountRefusal(RefusalReason::kHead);
      return Refuse(wsi, core_.handshakes().PeerOf(wsi).ip, kHeadTooLarge, "too many bytes of headers");
    case HeadMeter::Verdict::kTooManyLines:
      counters_.CountRefusal(RefusalReason::kHead);
      return Refuse(wsi, core_.handshakes().PeerOf(wsi).ip, kHeadTooLarge, "too many header lines");
  }
  size_t used = 0;
  switch (head->Feed(came, used)) {
    case HttpHead::Status::kMore:
      if (!core_.handshakes().Keep(wsi, used)) return RefuseToKeep(wsi);
      bytes.len = 0;
      return static_cast<int>(used);
    case HttpHead::Status::kMalformed:
      return RefuseRequest(wsi, UpgradeRefusal::kMalformed);
    case HttpHead::Status::kComplete:
      break;
  }
  NoteForwarded(wsi, *head);
  if (drains()) return RefuseToDrain(wsi);
  const UpgradeRefusal refusal = CheckUpgradeRequest(*head);
  if (refusal != UpgradeRefusal::kNone) return RefuseRequest(wsi, refusal);
  if (config_.asks_upgrades) return AskAbout(wsi, *head, bytes, used);
  GiveHeadToLws(*head, bytes);
  return static_cast<int>(used);
}

void ServerListener::GiveHeadToLws(const HttpHead& head, lws_tokens& bytes) {
  head_for_lws_ = RequestForLws(head);
  bytes.token = reinterpret_cast<unsigned char*>(head_for_lws_.data());
  bytes.len = static_cast<int>(head_for_lws_.size());
}

int ServerListener::AskAbout(lws* wsi, const HttpHead& head, lws_tokens& bytes, size_t used) {
  // A client has no frames to send before it is answered; some time-saving ones do, a few.
  if (static_cast<size_t>(bytes.len) - used > config_.limits->header_bytes) {
    return RefuseRequest(wsi, UpgradeRefusal::kBody);
  }
  if (!core_.handshakes().Keep(wsi, used)) return RefuseToKeep(wsi);
  if (Judge(wsi, head.Value("origin"), head.Value("sec-websocket-extensions")) != 0) return -1;
  const Peer& peer = core_.handshakes().PeerOf(wsi);
  UpgradeRequests::Request& request = requests_.Add(*this, core_.loop(), wsi);
  StringListWriter strings;
  strings.Add(peer.ip).Add(ClientIp(wsi)).Add(head.method()).Add(head.target()).Add(VerifiedCertificate(wsi));
  for (const HttpHead::Field& field : head.fields()) strings.Add(field.name).Add(field.value);
  const uint8_t flags = lws_is_ssl(wsi) != 0 ? kSecure : uint8_t{0};
  core_.up().Post(UpKind::kUpgradeRequest, id_, request.id, peer.port, flags, strings.bytes());
  lws_rx_flow_control(wsi, 0);
  core_.loop().Hold(SocketOf(wsi), request);
  bytes.token = nullptr;
  bytes.len = 0;
  return static_cast<int>(used) - 1;
}

void ServerListener::AnswerUpgrade(uint32_t id, uint16_t http_status, std::string_view strings) {
  lws* wsi = requests_.Find(id);
  if (wsi == nullptr || state_ != State::kListening) return;
  if (http_status == 0) {
    ReadAcceptance(strings, *requests_.Find(wsi));
    core_.loop().Return(SocketOf(wsi));
    lws_rx_flow_control(wsi, 1);
  } else {
    EndRequest(wsi);
    counters_.CountRefusal(RefusalReason::kHook);
    AnswerAndCut(wsi, BuildRefusal(http_status, strings));
  }
}

void ServerListener::GiveUpRequests() {
  const uint64_t now_ms = NowMs();
  for (lws* wsi : requests_.All()) core_.handshakes().MakeDue(wsi, now_ms);
}

int ServerListener::GiveUp(lws* wsi) {
  EndRequest(wsi);
  if (drains()) return RefuseToDrain(wsi);
  counters_.CountRefusal(RefusalReason::kBusy);
  return AnswerAndEnd(wsi, BuildHttpRefusal(kUnavailable, {}, kGoingAway));
}

void ServerListener::OnAskingClientGone(lws* wsi) {
  EndRequest(wsi);
  lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

void ServerListener::AnswerAndCut(lws* wsi, std::string answer) {
  AnswerAndEnd(wsi, std::move(answer));
  lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

bool ServerListener::EndRequest(lws* wsi) {
  if (!ForgetRequest(wsi)) return false;
  core_.loop().Return(SocketOf(wsi));
  StopCounting(wsi);
  return true;
}

bool ServerListener::ForgetRequest(lws* wsi) {
  const uint32_t id = requests_.Remove(wsi);
  if (id == 0) return false;
  core_.up().Post(UpKind::kUpgradeEnded, id_, id);
  return true;
}

void ServerListener::StopCounting(lws* wsi) {
  if (const auto ip = core_.handshakes().TakeCounted(wsi)) admission_->Leave(*ip);
}

void ServerListener::OnHandshakeOver(lws* wsi) {
  LeaveHandshake();
  ForgetRequest(wsi);
  StopCounting(wsi);
}

int ServerListener::OnUpgradeRequest(lws* wsi) {
  if (config_.netstack) return LetInAsNetstack(wsi);
  if (requests_.Find(wsi) != nullptr) return 0;  // judged before JavaScript was asked
  return Judge(wsi, Header(wsi, WSI_TOKEN_ORIGIN), Header(wsi, WSI_TOKEN_EXTENSIONS));
}

int ServerListener::Judge(lws* wsi, std::string_view origin, std::string_view extensions) {
  if (config_.deflate.has_value() &&
      AnswerDeflateOffers(*config_.deflate, extensions).kind == DeflateDecision::Kind::kRefuse) {
    return RefuseRequest(wsi, UpgradeRefusal::kExtensions);
  }
  const std::string ip = ClientIp(wsi);
  if (!IsOriginAllowed(origin)) {
    counters_.CountRefusal(RefusalReason::kOrigin);
    return Refuse(wsi, ip, kForbidden, kOriginNotAllowed);
  }
  if (state_ != State::kListening || core_.up().overwhelmed()) return Drop(RefusalReason::kBusy);
  const Verdict verdict = admission_->Enter(ip, NowMs());
  if (verdict == Verdict::kAccept) {
    core_.handshakes().SetCounted(wsi, ip);
    return 0;
  }
  counters_.CountRefusal(Counted(verdict));
  return Refuse(wsi, ip, StatusOf(verdict), Reason(verdict));
}

bool ServerListener::IsOriginAllowed(std::string_view origin) const {
  return !config_.allowed_origins.has_value() || IsAllowedOrigin(origin, *config_.allowed_origins);
}

// §3.2: nearly everything may upgrade (S23); what may not finds its TCP connection ended (S3, S8).
int ServerListener::LetInAsNetstack(lws* wsi) {
  const std::string connection = Header(wsi, WSI_TOKEN_CONNECTION);
  const std::string key = Header(wsi, WSI_TOKEN_KEY);
  const std::string subprotocols = Header(wsi, WSI_TOKEN_PROTOCOL);
  if (HeaderBytes(wsi) > kNetstackHeaderBytes) return Drop(RefusalReason::kHead);
  if (!ListContainsToken(connection, "upgrade") || key.empty()) return Drop(RefusalReason::kRequest);
  if (!subprotocols.empty() && !SelectSubprotocol(subprotocols, config_.protocols).has_value()) {
    return Drop(RefusalReason::kRequest);
  }
  if (state_ != State::kListening || core_.up().overwhelmed()) return Drop(RefusalReason::kBusy);
  const std::string& ip = core_.handshakes().PeerOf(wsi).ip;
  if (!IsOriginAllowed(Header(wsi, WSI_TOKEN_ORIGIN))) {
    ReportRefusal(ip, 0, kOriginNotAllowed);
    return Drop(RefusalReason::kOrigin);
  }
  const Verdict verdict = admission_->Enter(ip, NowMs());
  if (verdict == Verdict::kAccept) {
    core_.handshakes().SetCounted(wsi, ip);
    return 0;
  }
  ReportRefusal(ip, 0, Reason(verdict));
  return Drop(Counted(verdict));
}

int ServerListener::Drop(RefusalReason reason) {
  counters_.CountRefusal(reason);
  return -1;
}

int ServerListener::RefuseRequest(lws* wsi, UpgradeRefusal refusal) {
  counters_.CountRefusal(RefusalReason::kRequest);
  return AnswerAndEnd(wsi, BuildHttpRefusal(refusal));
}

int ServerListener::Refuse(lws* wsi, std::string_view ip, int http_status, std::string_view reason) {
  ReportRefusal(ip, http_status, reason);
  return AnswerAndEnd(wsi, BuildHttpRefusal(http_status, {}, reason));
}

int ServerListener::RefuseToKeep(lws* wsi) {
  counters_.CountRefusal(RefusalReason::kHandshakes);
  return Refuse(wsi, core_.handshakes().PeerOf(wsi).ip, kUnavailable, "too much of too many requests");
}

// Whoever comes while we drain is told when to come again.
int ServerListener::RefuseToDrain(lws* wsi) {
  ++turned_away_;
  counters_.CountRefusal(RefusalReason::kBusy);
  ReportRefusal(ClientIp(wsi), kUnavailable, kGoingAway);
  const uint64_t now_ms = NowMs();
  const uint64_t left_ms = drained_at_ms_ > now_ms ? drained_at_ms_ - now_ms : 0;
  const std::string seconds = std::to_string(std::max<uint64_t>((left_ms + 999) / 1000, 1));
  const HttpHeader retry_after[] = {{"Retry-After", seconds}};
  return AnswerAndEnd(wsi, BuildHttpRefusal(kUnavailable, retry_after, kGoingAway));
}

void ServerListener::ReportRefusal(std::string_view ip, int http_status, std::string_view reason) {
  // Whoever floods us while JavaScript is busy is not told of.
  if (core_.up().overwhelmed()) return;
  StringListWriter strings;
  strings.Add(ip).Add(reason);
  core_.up().Post(UpKind::kRefused, id_, 0, static_cast<uint16_t>(http_status), 0, strings.bytes());
}

int ServerListener::OnPlainRequest(lws* wsi) {
  if (config_.netstack) {
    counters_.CountRefusal(RefusalReason::kRequest);
    // S18 without the files: netstack's answer where it finds none.
    std::string answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    // What cannot be written to lws never asks about again, and the next request would wait for that.
    if (lws_write(wsi, reinterpret_cast<unsigned char*>(answer.data()), answer.size(),
                  LWS_WRITE_HTTP_HEADERS) < 0) {
      return -1;
    }
    core_.handshakes().BeginAgain(wsi);
    return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
  }
  return RefuseRequest(wsi, UpgradeRefusal::kUpgradeHeader);
}

bool ServerListener::AddAnswerHeaders(lws* wsi, lws_process_html_args& answer) {
  std::string lines;
  const UpgradeRequests::Request* request = requests_.Find(wsi);
  if (request != nullptr) lines = request->header_lines;
  agreed_subprotocol_ =
      request != nullptr && request->subprotocol.has_value()
          ? *request->subprotocol
          : SelectSubprotocol(Header(wsi, WSI_TOKEN_PROTOCOL), config_.protocols).value_or("");
  if (!agreed_subprotocol_.empty()) lines += "Sec-WebSocket-Protocol: " + agreed_subprotocol_ + "\r\n";
  const std::string extension = AgreeOnDeflate(wsi);
  if (!extension.empty()) lines += "Sec-WebSocket-Extensions: " + extension + "\r\n";
  if (lines.size() > static_cast<size_t>(answer.max_len)) return false;
  answer.p = std::copy(lines.begin(), lines.end(), answer.p);
  return true;
}

// The value of the answer's header; empty without an agreement. lws establishes the connection right after it
// has written the answer.
std::string ServerListener::AgreeOnDeflate(lws* wsi) {
  agreed_.reset();
  if (!config_.deflate.has_value() || OHWS_LWS_PATCH_DEFLATE == 0) return {};
  DeflateDecision decision = AnswerDeflateOffers(*config_.deflate, Header(wsi, WSI_TOKEN_EXTENSIONS));
  if (decision.kind != DeflateDecision::Kind::kDeflate) return {};
  const size_t bytes = Decompressor::MaxBytes(decision.agreed.client_max_window_bits);
  DeflateReservation room = DeflateReservation::Of(core_.deflate().budget(), bytes);
  if (room.empty()) return {};
  agreed_ = std::make_unique<DeflateSession>(Role::kServer, *config_.deflate, decision.agreed,
                                             std::move(room), core_.deflate());
  return decision.answer;
}

void ServerListener::OnEstablished(lws* wsi) {
  const Peer peer = core_.handshakes().PeerOf(wsi);
  const uint32_t request = requests_.Remove(wsi);
  const std::string counted = core_.handshakes().TakeCounted(wsi).value_or(peer.ip);
  const std::string details = DetailsOf(wsi, peer.ip, counted, request);
  core_.handshakes().End(wsi);
  Connection* connection =
      core_.Accept(wsi, *this, counted, config_.netstack ? CloseRules::kNetstack : CloseRules::kDocumented);
  connection->UseDeflate(std::move(agreed_));
  if (config_.limits->rated()) {
    const uint64_t now_ms = NowMs();
    connection->UseRates(
        std::make_unique<RateGate>(*config_.limits, admission_->RateOf(counted, now_ms), now_ms));
  }
  connection->place = connections_.size();
  connections_.push_back(connection);
  ++counters_.upgraded;
  ++open_;
  CountTls(wsi, counters_);
  lws_set_opaque_user_data(wsi, connection);
  std::string who = peer.ip;
  const std::string certificate = tls_.ClientCertificate(wsi);
  if (!certificate.empty()) who.append(1, '\0').append(certificate);
  core_.up().Post(UpKind::kAccepted, connection->id(), id_, peer.port,
                  details.empty() ? uint8_t{0} : kDetailed, details.empty() ? who : details);
  connection->OnEstablished();
}

std::string ServerListener::VerifiedCertificate(lws* wsi) const {
  return tls_.ClientCertificate(wsi).empty() ? std::string() : PeerCertificate(wsi);
}

// What JavaScript cannot know by itself of a connection; empty if there is nothing.
std::string ServerListener::DetailsOf(lws* wsi, std::string_view ip, std::string_view counted,
                                      uint32_t request) const {
  const HttpHead* head = core_.handshakes().Request(wsi);
  if (config_.netstack || head == nullptr) return {};
  const bool usual = request == 0 && counted == ip && head->target() == "/" && agreed_subprotocol_.empty();
  if (usual && !config_.keeps_headers) return {};
  StringListWriter strings;
  strings.Add(ip).Add(counted).Add(request == 0 ? "" : std::to_string(request));
  strings.Add(head->target()).Add(agreed_subprotocol_).Add(VerifiedCertificate(wsi));
  if (config_.keeps_headers) {
    for (const HttpHead::Field& field : head->fields()) strings.Add(field.name).Add(field.value);
  }
  return std::string(strings.bytes());
}

}  // namespace ohws
