#include "engine/handshakes.h"

#include <algorithm>
#include <utility>

#include "engine/clock.h"
#include "engine/server_listener.h"

namespace ohws {

Handshakes::Handshake::Handshake(lws* of, ServerListener& by, Peer of_peer, size_t& kept_of_all)
    : wsi(of),
      listener(&by),
      peer(std::move(of_peer)),
      all_kept_bytes(kept_of_all),
      head(by.limits()->header_bytes, by.limits()->header_lines) {}

void Handshakes::Handshake::OnDue(uint64_t /*now_ms*/) { listener->OnHandshakeTimeout(wsi); }

void Handshakes::Begin(lws* wsi, ServerListener& listener, Peer peer) { Add(wsi, listener, std::move(peer)); }

void Handshakes::BeginAgain(lws* wsi) {
  const auto found = handshakes_.find(wsi);
  if (found == handshakes_.end()) return;
  ServerListener& listener = *found->second.listener;
  Add(wsi, listener, Peer(found->second.peer));
}

void Handshakes::Add(lws* wsi, ServerListener& listener, Peer&& peer) {
  handshakes_.erase(wsi);
  Handshake& handshake =
      handshakes_.try_emplace(wsi, wsi, listener, std::move(peer), kept_bytes_).first->second;
  deadlines_.Set(handshake, NowMs() + listener.limits()->handshake_timeout_ms);
}

HeadMeter::Verdict Handshakes::Measure(lws* wsi, std::string_view bytes) {
  const auto found = handshakes_.find(wsi);
  return found == handshakes_.end() ? HeadMeter::Verdict::kFits : found->second.head.Feed(bytes);
}

bool Handshakes::Keep(lws* wsi, size_t bytes) {
  const auto found = handshakes_.find(wsi);
  if (found == handshakes_.end()) return true;
  found->second.kept_bytes += bytes;
  kept_bytes_ += bytes;
  return kept_bytes_ <= kMostKeptBytes;
}

HttpHead* Handshakes::Request(lws* wsi) {
  const auto found = handshakes_.find(wsi);
  return found == handshakes_.end() ? nullptr : &found->second.request;
}

void Handshakes::SetClient(lws* wsi, std::string ip) {
  const auto found = handshakes_.find(wsi);
  if (found != handshakes_.end()) found->second.client = std::move(ip);
}

const Peer& Handshakes::PeerOf(lws* wsi) const {
  static const Peer kNobody;
  const auto found = handshakes_.find(wsi);
  return found == handshakes_.end() ? kNobody : found->second.peer;
}

std::string_view Handshakes::Client(lws* wsi) const {
  const auto found = handshakes_.find(wsi);
  return found == handshakes_.end() ? std::string_view() : found->second.client;
}

void Handshakes::SetCounted(lws* wsi, std::string ip) {
  const auto found = handshakes_.find(wsi);
  if (found != handshakes_.end()) found->second.counted = std::move(ip);
}

std::optional<std::string> Handshakes::TakeCounted(lws* wsi) {
  const auto found = handshakes_.find(wsi);
  if (found == handshakes_.end()) return std::nullopt;
  return std::exchange(found->second.counted, std::nullopt);
}

void Handshakes::End(lws* wsi) {
  const auto found = handshakes_.find(wsi);
  if (found == handshakes_.end()) return;
  found->second.listener->OnHandshakeOver(wsi);
  handshakes_.erase(wsi);
}

void Handshakes::MakeDue(lws* wsi, uint64_t at_ms) {
  const auto found = handshakes_.find(wsi);
  if (found != handshakes_.end() && found->second.set()) deadlines_.Set(found->second, at_ms);
}

void Handshakes::MakeDue(const ServerListener& listener, uint64_t at_ms) {
  for (auto& [wsi, handshake] : handshakes_) {
    if (handshake.listener == &listener && handshake.set()) deadlines_.Set(handshake, at_ms);
  }
}

void Handshakes::Forget(const ServerListener& listener) {
  std::erase_if(handshakes_, [&listener](const auto& entry) { return entry.second.listener == &listener; });
}

}  // namespace ohws
