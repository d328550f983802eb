// Two tables, and the answer's strings. Engine thread.
#include "engine/upgrade_requests.h"

#include <array>

#include "engine/server_listener.h"
#include "engine/sockets.h"
#include "protocol/handshake.h"

namespace ohws {

void UpgradeRequests::Request::OnSocketEvent(bool /*readable*/, bool ended) {
  const int fd = SocketOf(wsi);
  std::array<uint8_t, 1> first{};
  const ptrdiff_t there = Peek(fd, first);
  if (ended || there == 0) {
    listener.OnAskingClientGone(wsi);
  } else if (there < 0) {
    // Behind what comes early and is not read, poll(2) tells of no end.
    loop.Rearm(fd, true, false);
  }
}

UpgradeRequests::Request& UpgradeRequests::Add(ServerListener& listener, Loop& loop, lws* wsi) {
  // As a record's number it is read as a signed one.
  last_id_ = last_id_ % 0x7fffffff + 1;
  by_id_.insert_or_assign(last_id_, wsi);
  return requests_.try_emplace(wsi, listener, loop, wsi, last_id_).first->second;
}

UpgradeRequests::Request* UpgradeRequests::Find(lws* wsi) {
  const auto found = requests_.find(wsi);
  return found == requests_.end() ? nullptr : &found->second;
}

lws* UpgradeRequests::Find(uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

uint32_t UpgradeRequests::Remove(lws* wsi) {
  const auto found = requests_.find(wsi);
  if (found == requests_.end()) return 0;
  const uint32_t id = found->second.id;
  requests_.erase(found);
  by_id_.erase(id);
  return id;
}

std::vector<lws*> UpgradeRequests::All() const {
  std::vector<lws*> all;
  for (const auto& [wsi, request] : requests_) all.push_back(wsi);
  return all;
}

void ReadAcceptance(std::string_view strings, UpgradeRequests::Request& request) {
  StringListReader reader(strings);
  const bool chosen = reader.Next().value_or("") == "1";
  const std::string_view subprotocol = reader.Next().value_or("");
  if (chosen) request.subprotocol = IsToken(subprotocol) ? subprotocol : std::string_view();
  while (const auto name = reader.Next()) {
    const std::string_view value = reader.Next().value_or("");
    if (!IsToken(*name) || !IsFieldValue(value)) continue;
    request.header_lines.append(*name).append(": ").append(value).append("\r\n");
  }
  request.accepted = true;
}

std::string BuildRefusal(uint16_t status, std::string_view strings) {
  StringListReader reader(strings);
  const std::string_view body = reader.Next().value_or("");
  std::vector<HttpHeader> headers;
  while (const auto name = reader.Next()) headers.push_back({*name, reader.Next().value_or("")});
  return BuildHttpRefusal(status, headers, body);
}

}  // namespace ohws
