// What a Connection is made of, and what it waits for while it is open. What it sends is in
// connection_send.cpp, what it receives in connection_receive.cpp, how it ends in connection_end.cpp. Engine
// thread.
#include "engine/connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/client_attempt.h"
#include "engine/core.h"
#include "engine/server_listener.h"

namespace ohws {

namespace {

FrameRules RulesOf(Role role, CloseRules rules) {
  const bool netstack = rules == CloseRules::kNetstack;
  return {
      .peer_masks = role == Role::kServer, .accept_unmasked = netstack, .accept_longer_lengths = netstack};
}

}  // namespace

Connection::Connection(Core& core, uint32_t id, std::unique_ptr<ClientAttempt> attempt, CloseRules rules)
    : core_(core),
      traffic_(core.client_traffic()),
      id_(id),
      rules_(rules),
      limits_(attempt->config().limits),
      state_(State::kConnecting),
      reader_(RulesOf(Role::kClient, rules)),
      rx_(limits_->message),
      attempt_(std::move(attempt)) {}

Connection::Connection(Core& core, uint32_t id, lws* wsi, ServerListener& listener, std::string ip,
                       CloseRules rules)
    : core_(core),
      traffic_(listener.counters().traffic),
      id_(id),
      rules_(rules),
      limits_(listener.limits()),
      state_(State::kOpen),
      wsi_(wsi),
      listener_(&listener),
      ip_(std::move(ip)),
      reader_(RulesOf(Role::kServer, rules)),
      rx_(limits_->message) {}

Connection::~Connection() { core_.topics().Leave(*this); }

void Connection::OnEstablished() {
  state_ = State::kOpen;
  attempt_.reset();
  stream_ = Stream(wsi_, core_.tls_batch());
  core_.loop().Adopt(wsi_, *this);
  if (!drains_.empty() && tx_.empty()) OnFlushed();
  active_ms_ = NowMs();
  heartbeat_.Start(active_ms_, RandomForHeartbeat());
  Arm();
}

// ---- deadlines

uint32_t Connection::RandomForHeartbeat() {
  uint32_t random = 0;
  if (!heartbeat_.jitters()) return random;
  uint8_t bytes[kMaskKeyBytes];
  core_.mask_keys().Next(bytes);
  std::memcpy(&random, bytes, sizeof(random));
  return random;
}

void Connection::Arm() {
  if (state_ != State::kOpen) return;
  uint64_t at_ms = heartbeat_.NextDeadlineMs().value_or(kNoLimit);
  if (limits_->idle_timeout_ms != kNoLimit) at_ms = std::min(at_ms, active_ms_ + limits_->idle_timeout_ms);
  if (delayed() && !paused_) at_ms = std::min(at_ms, rates_->HeldUntil(NowMs()));
  if (at_ms == kNoLimit) {
    Cancel();
  } else {
    SetDeadline(at_ms);
  }
}

void Connection::OnMessageEitherWay() {
  if (limits_->idle_timeout_ms != kNoLimit) active_ms_ = core_.TurnMs();
}

bool Connection::EndIfIdle(uint64_t now_ms) {
  if (limits_->idle_timeout_ms == kNoLimit || now_ms < active_ms_ + limits_->idle_timeout_ms) return false;
  constexpr std::string_view kWhy = "idle";
  uint8_t body[kMaxControlPayloadBytes];
  const size_t size = WriteClosePayload(body, kCloseGoingAway, kWhy);
  ReportClosed(kCloseGoingAway, kWhy, false, {});
  EndWith({reinterpret_cast<const char*>(body), size}, State::kFailing);
  return true;
}

void Connection::LimitHandshake() { SetDeadline(NowMs() + limits_->handshake_timeout_ms); }

void Connection::OnDue(uint64_t now_ms) {
  switch (state_) {
    case State::kConnecting:
      attempt_->NoteVerdict("the handshake took too long");
      Cut();
      return;
    case State::kGone:
      return;
    case State::kOpen:
      // The peer's pong, or message, may be among what we have not read.
      if (in_read_list_ || paused_ || delayed()) heartbeat_.OnPong(now_ms, RandomForHeartbeat());
      if (in_read_list_ || paused_ || delayed() || !tx_.empty()) active_ms_ = now_ms;
      if (delayed() && !paused_ && rates_->HeldUntil(now_ms) <= now_ms) GoOn();
      if (state_ != State::kOpen) return;
      if (EndIfIdle(now_ms)) return;
      switch (heartbeat_.Poll(now_ms)) {
        case HeartbeatAction::kNone:
          break;
        case HeartbeatAction::kSendPing:
          QueueControlFrame(Opcode::kPing, {});
          break;
        case HeartbeatAction::kGiveUp:
          ReportClosed(0, kLinkDownReason, true, {"network", "established", 0, "no pong in time"});
          state_ = State::kDraining;
          Cut();
          return;
      }
      Arm();
      return;
    case State::kLocalClosing:
      ReportLocalClose();
      state_ = State::kDraining;
      CutInTime();
      return;
    case State::kLastWord:
      // JavaScript is busy: the peer shall not wait for it.
      OnReleased();
      return;
    case State::kFinishing:
    case State::kFailing:
    case State::kDraining:
      CutInTime();
      return;
  }
}

void Connection::SetDeadline(uint64_t at_ms) { core_.deadlines().Set(*this, at_ms); }

}  // namespace ohws
