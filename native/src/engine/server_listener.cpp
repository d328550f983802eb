// The life of a ServerListener: listening, accepting, stopping, and what it tells. What it makes of requests
// is in server_requests.cpp. Engine thread.
#include "engine/server_listener.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/connection.h"
#include "engine/core.h"
#include "engine/lws_protocol.h"
#include "engine/sockets.h"
#include "ohws_lws_patches.h"

namespace ohws {

namespace {

constexpr lws_retry_bo_t kNoHeartbeatOfLws{};
constexpr uint64_t kAcceptAgainMs = 100;
// Of our patch late-header-table: the request heads of a virtual host are gathered by the protocol callback.
constexpr uint64_t kGathersHeads = uint64_t{1} << 62;
// One look at the listening socket accepts so many, then others have their turn.
constexpr int kAcceptBatch = 64;

}  // namespace

ServerListener::ServerListener(Core& core, uint32_t id, ServerConfig config)
    : core_(core),
      id_(id),
      config_(std::move(config)),
      vhost_name_("listener-" + std::to_string(id)),
      admission_(SharedAdmission::Of(config_.admission_name, config_.admission, config_.limits->address_rate,
                                     config_.netstack)) {}

ServerListener::~ServerListener() {
  CancelTimers();
  admission_->LeaveHandshakes(handshakes_);
}

bool ServerListener::Start() {
  Failure failure;
  const bool needs_head = config_.asks_upgrades || !config_.trusted_proxies.empty();
  if (needs_head && OHWS_LWS_PATCH_REQUEST_HEAD == 0) {
    failure = {"config", "listen", 0, "this libwebsockets lacks the patch request-head"};
  }
  const bool listens = failure.kind.empty() &&
                       std::all_of(config_.listen.begin(), config_.listen.end(),
                                   [&](const ListenAddress& address) { return Listen(address, failure); });
  if (!listens || !MakeVhost(failure) || !Watch(failure)) {
    StringListWriter strings;
    failure.AppendTo(strings);
    core_.up().Post(UpKind::kListening, id_, 0, 0, 0, strings.bytes());
    StopListening();
    if (vhost_ != nullptr) lws_vhost_destroy(vhost_);
    return false;
  }
  state_ = State::kListening;
  StringListWriter ports;
  ports.Add("");
  for (const Listening& listening : listening_) ports.Add(std::to_string(listening.socket.port()));
  core_.up().Post(UpKind::kListening, id_, 0, 0, 0, ports.bytes());
  return true;
}

// The first port that the system has chosen is that of all that leave it the choice.
bool ServerListener::Listen(const ListenAddress& address, Failure& failure) {
  auto socket = ListeningSocket::Open(address, free_port_, failure);
  if (!socket.has_value()) return false;
  if (!address.is_unix() && address.port == 0) free_port_ = socket->port();
  listening_.push_back({std::move(*socket), nullptr});
  return true;
}

bool ServerListener::MakeVhost(Failure& failure) {
  if (!tls_.Prepare(config_.tls, failure)) return false;
  tls_.Take();
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.vhost_name = vhost_name_.c_str();
  info.protocols = Protocols();
  info.log_cx = lwsl_context_get_cx(core_.context());
  info.user = this;
  info.retry_and_idle_policy = &kNoHeartbeatOfLws;
  info.keepalive_timeout = 5;
  info.timeout_secs_ah_idle = 3600;  // ours is in Handshakes
  if (!config_.netstack) info.options = kGathersHeads;
  if (tls_.enabled()) tls_.Configure(info);
  vhost_ = lws_create_vhost(core_.context(), &info);
  if (vhost_ == nullptr) {
    failure = {"config", "listen", 0, "lws could not make the virtual host"};
    return false;
  }
  return true;
}

bool ServerListener::Watch(Failure& failure) {
  for (Listening& listening : listening_) {
    lws_sock_file_fd_type descriptor;
    descriptor.sockfd = static_cast<lws_sockfd_type>(listening.socket.Release());
    listening.wsi = lws_adopt_descriptor_vhost(vhost_, LWS_ADOPT_RAW_FILE_DESC, descriptor, "", nullptr);
    if (listening.wsi == nullptr) {  // lws has closed it
      failure = {"config", "listen", 0, "lws could not watch the listening socket"};
      return false;
    }
    if (config_.holds) lws_rx_flow_control(listening.wsi, 0);
  }
  return true;
}

void ServerListener::CancelTimers() {
  accept_again_.Cancel();
  handshakes_due_.Cancel();
  const size_t preludes = preludes_.size();
  preludes_.clear();
  handshakes_ -= preludes;
  admission_->LeaveHandshakes(preludes);
}

void ServerListener::Accept() {
  for (const Listening& listening : listening_) lws_rx_flow_control(listening.wsi, 1);
}

void ServerListener::StopListening() {
  for (const Listening& listening : std::exchange(listening_, {})) Unwatch(listening.wsi);
}

void ServerListener::Unwatch(lws* wsi) {
  if (wsi != nullptr) lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

void ServerListener::Stop(uint16_t code, std::string_view reason) {
  if (state_ != State::kListening) return;
  state_ = State::kStopping;
  CancelTimers();
  StopListening();
  GiveUpRequests();
  CloseAll(code, reason);
  if (connections_.empty()) EndHandshakes();
}

void ServerListener::Drain(uint32_t limit_ms, uint16_t code, std::string_view reason) {
  if (state_ != State::kListening) return;
  state_ = State::kDraining;
  drain_begun_ms_ = NowMs();
  drained_at_ms_ = drain_begun_ms_ + limit_ms;
  to_drain_ = connections_.size();
  LeaveToOthers();
  GiveUpRequests();
  CloseAll(code, reason);
  for (Connection* connection : connections_) connection->OnDrain();
  if (connections_.empty()) EndHandshakes();
}

// Where other processes listen as well, whoever comes shall be theirs. Those that the kernel has given to us
// already are answered.
void ServerListener::LeaveToOthers() {
  std::vector<lws*> shared;
  for (const Listening& listening : listening_) {
    if (listening.socket.reuse_port()) shared.push_back(listening.wsi);
  }
  for (lws* wsi : shared) {
    while (AcceptNext(wsi)) {
    }
    Unwatch(wsi);
  }
}

void ServerListener::PrepareCertificates(std::string_view strings) {
  ServerTlsConfig config;
  StringListReader reader(strings);
  while (const auto name = reader.Next()) config.Set(*name, reader);
  Failure failure;
  StringListWriter answer;
  if (!tls_.Prepare(std::move(config), failure)) failure.AppendTo(answer);
  core_.up().Post(UpKind::kReloaded, id_, 0, 0, 0, answer.bytes());
}

void ServerListener::TakeCertificates(bool take) {
  if (take) {
    tls_.Take();
  } else {
    tls_.Drop();
  }
  core_.up().Post(UpKind::kReloaded, id_);
}

void ServerListener::CloseAll(uint16_t code, std::string_view reason) {
  // Closing may end a connection at once, which takes it out of the set.
  const std::vector<Connection*> all = connections_;
  for (Connection* connection : all) connection->Close(code, code, reason);
}

void ServerListener::EndHandshakes() {
  // Whose last connection ended while all were closed comes here twice.
  if (state_ == State::kEnding || state_ == State::kStopped) return;
  CancelTimers();
  StopListening();
  if (handshakes_ == 0) {
    FinishStop();
    return;
  }
  state_ = State::kEnding;
  const uint64_t now_ms = NowMs();
  core_.handshakes().MakeDue(*this, now_ms);
  core_.deadlines().Set(handshakes_due_, now_ms + 1);
}

void ServerListener::FinishStop() {
  state_ = State::kStopped;
  core_.handshakes().Forget(*this);
  // Not from within a callback of one of the connections that the vhost takes with it.
  StringListWriter report;
  if (drains()) {
    for (const uint64_t number : {static_cast<uint64_t>(to_drain_ - cut_), static_cast<uint64_t>(cut_),
                                  static_cast<uint64_t>(turned_away_), NowMs() - drain_begun_ms_}) {
      report.Add(std::to_string(number));
    }
  }
  core_.Defer([&core = core_, vhost = std::exchange(vhost_, nullptr), id = id_,
               payload = std::string(report.bytes())] {
    if (vhost != nullptr) lws_vhost_destroy(vhost);
    core.up().Post(UpKind::kStopped, id, 0, 0, 0, payload);
  });
  core_.Bury(*this);
}

void ServerListener::OnListenerReadable(lws* wsi) {
  for (int n = 0; n < kAcceptBatch && AcceptNext(wsi); ++n) {
  }
}

bool ServerListener::AcceptNext(lws* wsi) {
  SocketAddress address{};
  const int fd = AcceptSocket(SocketOf(wsi), address);
  if (fd < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return false;
    // The descriptors have run out: the socket stays readable, and looking again at once would spin (D7).
    lws_rx_flow_control(wsi, 0);
    core_.deadlines().Set(accept_again_, NowMs() + kAcceptAgainMs);
    return false;
  }
  if (!EnterHandshake()) {
    RefuseAtAccept(fd, ToPeer(address, fd).ip);
    return true;
  }
  Peer peer = ToPeer(address, fd);
  if (config_.proxy_source == ProxySource::kProxyProtocol && IsTrustedProxy(peer.ip)) {
    auto prelude = std::make_unique<ProxyPrelude>(core_, *this, fd, std::move(peer),
                                                  config_.limits->handshake_timeout_ms);
    preludes_.emplace(prelude.get(), std::move(prelude));
    return true;
  }
  BeginHandshake(fd, std::move(peer), {});
  return true;
}

bool ServerListener::EnterHandshake() {
  if (!admission_->EnterHandshake(config_.limits->handshakes)) return false;
  ++handshakes_;
  return true;
}

void ServerListener::LeaveHandshake() {
  --handshakes_;
  admission_->LeaveHandshakes(1);
}

void ServerListener::BeginHandshake(int fd, Peer peer, std::string client) {
  lws* accepted = lws_adopt_socket_vhost(vhost_, static_cast<lws_sockfd_type>(fd));
  if (accepted == nullptr) {
    LeaveHandshake();
    return;
  }
  ++counters_.tcp_accepted;
  core_.handshakes().Begin(accepted, *this, std::move(peer));
  if (!client.empty()) core_.handshakes().SetClient(accepted, std::move(client));
}

void ServerListener::OnPrelude(const ProxyPrelude& ended, ProxyPrelude::End end) {
  const auto node = preludes_.extract(&ended);
  if (node.empty()) return;
  ProxyPrelude& prelude = *node.mapped();
  if (end != ProxyPrelude::End::kComplete) LeaveHandshake();
  switch (end) {
    case ProxyPrelude::End::kComplete: {
      const auto client = prelude.client();
      BeginHandshake(prelude.Release(), prelude.peer(),
                     client.has_value() ? client->ToText() : std::string());
      return;
    }
    case ProxyPrelude::End::kMalformed:
      counters_.CountRefusal(RefusalReason::kHead);
      ReportRefusal(prelude.peer().ip, 0, "malformed header of the PROXY protocol");
      return;
    case ProxyPrelude::End::kTimeout:
      counters_.CountRefusal(RefusalReason::kTimeout);
      ReportRefusal(prelude.peer().ip, 0, "the header of the PROXY protocol took too long");
      return;
    case ProxyPrelude::End::kGone:
      return;
  }
}

void ServerListener::OnListenerClosed(lws* wsi) {
  std::erase_if(listening_, [wsi](const Listening& listening) { return listening.wsi == wsi; });
}

void ServerListener::OnOutcome(const Connection& connection) {
  --open_;
  admission_->Leave(connection.ip());
}

void ServerListener::OnBlocked(Connection& connection, bool blocked) {
  if (blocked) {
    blocked_.insert(&connection);
  } else {
    blocked_.erase(&connection);
  }
}

void ServerListener::AnswerStats() const {
  StringListWriter stats;
  const auto add = [&stats](std::string_view name, uint64_t value) {
    stats.Add(name).Add(std::to_string(value));
  };
  uint64_t queued = 0;
  for (const Connection* connection : blocked_) queued += connection->CountQueuedBytes();
  const Traffic& traffic = counters_.traffic;
  add("connections.open", open_);
  add("connections.closing", connections_.size() - open_);
  add("connections.blocked", blocked_.size());
  add("connections.total", counters_.upgraded);
  add("handshakes.pending", handshakes_);
  add("handshakes.total", counters_.tcp_accepted);
  for (size_t n = 0; n < kRefusalNames.size(); ++n) {
    add("refusals." + std::string(kRefusalNames[n]), counters_.refused[n]);
  }
  add("received.messages", traffic.messages_received);
  add("received.bytes", traffic.bytes_received);
  add("received.compressedBytes", traffic.deflated_received);
  add("received.inflatedBytes", traffic.inflated_received);
  add("sent.messages", traffic.messages_sent);
  add("sent.bytes", traffic.bytes_sent);
  add("sent.compressedBytes", traffic.deflated_sent);
  add("sent.inflatedBytes", traffic.inflated_sent);
  add("sent.queuedBytes", queued);
  add("rates.delays", counters_.rate_delays);
  add("rates.refusedMessages", counters_.rate_refused);
  add("rates.closedConnections", counters_.rate_closed);
  add("tls.version12", counters_.tls12);
  add("tls.version13", counters_.tls13);
  add("tls.resumed", counters_.tls_resumed);
  core_.AddStats(stats);
  core_.up().Post(UpKind::kStats, id_, 0, 0, 0, stats.bytes());
}

void ServerListener::OnGone(Connection& connection) {
  Connection* last = connections_.back();
  connections_[connection.place] = last;
  last->place = connection.place;
  connections_.pop_back();
  if (!connections_.empty()) return;
  // Not from within a callback of lws, which may be about to end everything.
  if (state_ == State::kStopping || state_ == State::kDraining) core_.Defer([this] { EndHandshakes(); });
}

}  // namespace ohws
