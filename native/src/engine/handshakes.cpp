#include "engine/handshakes.h"

#include <algorithm>
#include <utility>

#include "engine/deadlines.h"
#include "engine/server_listener.h"

namespace ohws {

void Handshakes::Begin(lws* wsi, ServerListener& listener) {
  Add(wsi, listener);
  listener.OnHandshakeBegun();
}

void Handshakes::BeginAgain(lws* wsi) {
  const auto found = handshakes_.find(wsi);
  if (found == handshakes_.end()) return;
  ServerListener& listener = *found->second.listener;
  due_.erase({found->second.deadline_ms, wsi});
  handshakes_.erase(found);
  Add(wsi, listener);
}

void Handshakes::Add(lws* wsi, ServerListener& listener) {
  const EndpointLimits& limits = *listener.limits();
  const uint64_t deadline_ms = NowMs() + limits.handshake_timeout_ms;
  handshakes_.insert_or_assign(
      wsi, Handshake{&listener, deadline_ms, HeadMeter(limits.header_bytes, limits.header_lines), {}, {}});
  const auto place = due_.emplace(deadline_ms, wsi).first;
  if (place == due_.begin()) SetTimer();
}

HeadMeter::Verdict Handshakes::Measure(lws* wsi, std::string_view bytes) {
  const auto found = handshakes_.find(wsi);
  return found == handshakes_.end() ? HeadMeter::Verdict::kFits : found->second.head.Feed(bytes);
}

HttpHead* Handshakes::Request(lws* wsi) {
  const auto found = handshakes_.find(wsi);
  return found == handshakes_.end() ? nullptr : &found->second.request;
}

void Handshakes::SetClient(lws* wsi, std::string ip) {
  const auto found = handshakes_.find(wsi);
  if (found != handshakes_.end()) found->second.client = std::move(ip);
}

std::string_view Handshakes::Client(lws* wsi) const {
  const auto found = handshakes_.find(wsi);
  return found == handshakes_.end() ? std::string_view() : found->second.client;
}

void Handshakes::End(lws* wsi) {
  const auto found = handshakes_.find(wsi);
  if (found == handshakes_.end()) return;
  ServerListener& listener = *found->second.listener;
  due_.erase({found->second.deadline_ms, wsi});
  handshakes_.erase(found);
  listener.OnHandshakeOver(wsi);
}

std::vector<lws*> Handshakes::Of(const ServerListener& listener) const {
  std::vector<lws*> some;
  for (const auto& [wsi, handshake] : handshakes_) {
    if (handshake.listener == &listener) some.push_back(wsi);
  }
  return some;
}

void Handshakes::Forget(const ServerListener& listener) {
  std::erase_if(handshakes_, [this, &listener](const auto& entry) {
    if (entry.second.listener != &listener) return false;
    due_.erase({entry.second.deadline_ms, entry.first});
    return true;
  });
}

// A timer that is early finds nothing due and is set again.
void Handshakes::SetTimer() {
  const uint64_t now_ms = NowMs();
  const uint64_t first_ms = due_.begin()->first;
  const auto wait_us = static_cast<lws_usec_t>((first_ms > now_ms ? first_ms - now_ms : 0) * 1000);
  lws_sul_schedule(
      context_, 0, &timer_.timer,
      [](lws_sorted_usec_list_t* timer) { reinterpret_cast<Timer*>(timer)->handshakes->ServeDue(); },
      wait_us);
}

void Handshakes::ServeDue() {
  const uint64_t now_ms = NowMs();
  while (!due_.empty() && due_.begin()->first <= now_ms) {
    lws* wsi = due_.begin()->second;
    ServerListener* listener = handshakes_.find(wsi)->second.listener;
    // It counts until it is gone, but is told only once.
    due_.erase(due_.begin());
    listener->OnHandshakeTimeout(wsi);
  }
  if (!due_.empty()) SetTimer();
}

}  // namespace ohws
