#include "script/javascript.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "protocol/utf8.h"

namespace ohws::fuzz {

JavaScript::JavaScript(const Options& options, PayloadTable& up_payloads, PayloadTable& down_payloads)
    : options_(options),
      up_payloads_(up_payloads),
      down_payloads_(down_payloads),
      up_memory_(kRingBytes / sizeof(uint64_t)),
      down_memory_(kRingBytes / sizeof(uint64_t)),
      up_(up()),
      down_(down()) {}

// ------------------------------------------------------------------------------------------------ what it
// says

bool JavaScript::Say(DownKind kind, uint32_t id, std::string_view payload, uint16_t aux, uint32_t arg) {
  const RecordHeader header{
      static_cast<uint8_t>(kind), 0, aux, id, static_cast<uint32_t>(payload.size()), arg};
  if (payload.size() > down_.max_payload() || !down_.TryWrite(header, payload)) return false;
  down_.Publish();
  return true;
}

void JavaScript::SayLarge(DownKind kind, uint32_t id, const std::string& text, std::string_view payload) {
  Payload beside = Payload::Allocate(text.size());
  std::copy(text.begin(), text.end(), beside.data.get());
  const uint32_t token = down_payloads_.Put(std::move(beside));
  if (!Say(kind, id, payload, 0, token)) down_payloads_.Take(token);
}

void JavaScript::Listen() {
  if (listener_ != 0 && lives_[listener_] != Life::kGone) return;
  const uint32_t id = kJsOwnedId | next_id_++;
  if (!Say(DownKind::kListen, id, ListenStrings(options_))) return;
  listener_ = id;
  port_ = 0;
  reloading_ = Reloading::kNo;
  lives_[id] = Life::kAsked;
}

void JavaScript::Connect(std::string_view strings) {
  const uint32_t id = kJsOwnedId | next_id_++;
  if (Say(DownKind::kConnect, id, strings)) lives_[id] = Life::kAsked;
}

void JavaScript::Tell(DownKind kind, std::string_view payload, uint16_t aux, uint32_t arg) {
  if (listener_ != 0) Say(kind, listener_, payload, aux, arg);
}

void JavaScript::Reload(uint8_t choice) {
  if (!listens() || !options_.server_tls()) return;
  if (reloading_ == Reloading::kNo) {
    if (Say(DownKind::kReload, listener_, TlsStrings(options_, choice))) reloading_ = Reloading::kAsked;
  } else if (reloading_ == Reloading::kRead) {
    if (Say(DownKind::kReloadEnd, listener_, {}, 0, choice & 1)) reloading_ = Reloading::kEnding;
  }
}

void JavaScript::AnswerUpgrade(uint8_t choice) {
  // Sometimes about one that nobody has asked about.
  uint32_t request = choice;
  if (!requests_.empty() && choice < 250) {
    request = *std::next(requests_.begin(), choice % requests_.size());
  }
  StringListWriter strings;
  const bool accept = (choice & 3) != 0;
  if (accept) {
    strings.Add((choice & 4) != 0 ? "1" : "0").Add((choice & 8) != 0 ? "chat" : "no token");
  } else {
    strings.Add("the body");
  }
  strings.Add("X-Hook").Add("1").Add("X-Broken").Add("a\r\nb");
  const uint16_t status = accept ? 0 : 401;
  if (Say(DownKind::kUpgradeAnswer, listener_, strings.bytes(), status, request)) requests_.erase(request);
}

void JavaScript::Watch(uint8_t what) {
  watches_ = watches_ || what != 0;
  Tell(DownKind::kWatch, {}, 0, what);
}

uint32_t JavaScript::SomeId(uint8_t choice) const {
  std::vector<uint32_t> ids;
  for (const auto& [id, life] : lives_) {
    if (id != listener_ && life < Life::kOver) ids.push_back(id);
  }
  return ids.empty() ? 0 : ids[choice % ids.size()];
}

void JavaScript::CloseAll() {
  Tell(DownKind::kStop, "the end", 1001);
  for (const auto& [id, life] : lives_) {
    if (id != listener_ && (id & kJsOwnedId) != 0 && life < Life::kOver)
      Say(DownKind::kClose, id, "the end", 1000, 1000);
  }
}

bool JavaScript::AllGone() const {
  return std::ranges::all_of(lives_, [](const auto& entry) { return entry.second == Life::kGone; });
}

// ------------------------------------------------------------------------------------------------ what it
// hears

void JavaScript::Read(size_t most) {
  RecordHeader header;
  uint8_t* payload = nullptr;
  for (size_t n = 0; n < most && up_.Next(header, payload); ++n) {
    OnUp(header, {reinterpret_cast<const char*>(payload), header.size});
  }
  up().lent_read().store(lent_read_);
  up_.Release();
}

void JavaScript::OnUp(const RecordHeader& header, std::string_view payload) {
  const auto kind = static_cast<UpKind>(header.kind);
  if (kind == UpKind::kPublished) return;
  if (kind == UpKind::kAccepted) {
    OnAccepted(header, payload);
    return;
  }
  const auto found = lives_.find(header.id);
  REQUIRE(found != lives_.end());
  if (header.id == listener_) {
    OnListener(kind, header, payload, found->second);
    return;
  }
  OnConnection(kind, header, payload, found->second);
  // The engine may give this number again.
  if (kind == UpKind::kClosed && (header.id & kJsOwnedId) == 0) lives_.erase(found);
}

void JavaScript::OnAccepted(const RecordHeader& header, std::string_view payload) {
  REQUIRE((header.id & kJsOwnedId) == 0 && header.id != 0 && header.arg == listener_ && listens());
  StringListReader strings(payload);
  const bool detailed = (header.flags & kDetailed) != 0;
  const std::string_view ip = detailed ? strings.Next().value_or("") : payload.substr(0, payload.find('\0'));
  REQUIRE(ip.starts_with("127.0.0.") || ip == "::1" || ip.starts_with("unix:"));
  if (detailed) {
    REQUIRE(!options_.netstack() && !strings.Next().value_or("").empty());
    REQUIRE(strings.Next().has_value() && strings.Next().value_or("").starts_with("/"));
  }
  REQUIRE(!lives_.contains(header.id));
  lives_[header.id] = Life::kOpen;
}

void JavaScript::OnListener(UpKind kind, const RecordHeader& header, std::string_view payload, Life& life) {
  StringListReader strings(payload);
  if (kind == UpKind::kListening) {
    REQUIRE(life == Life::kAsked);
    const bool failed = !strings.Next().value_or("failed").empty();
    // Nothing else is wrong with it, unless the descriptors have run out.
    REQUIRE(failed || (!options_.bad_address() && !options_.bad_certificates()));
    life = failed ? Life::kGone : Life::kOpen;
    if (!failed) port_ = static_cast<uint16_t>(std::stoi(std::string(strings.Next().value_or("0"))));
    return;
  }
  REQUIRE(life == Life::kOpen);
  switch (kind) {
    case UpKind::kRefused:
    case UpKind::kStats:
      return;
    case UpKind::kReloaded:
      REQUIRE(reloading_ == Reloading::kAsked || (reloading_ == Reloading::kEnding && payload.empty()));
      reloading_ = reloading_ == Reloading::kAsked && payload.empty() ? Reloading::kRead : Reloading::kNo;
      return;
    case UpKind::kUpgradeRequest: {
      REQUIRE(header.arg != 0 && !requests_.contains(header.arg));
      REQUIRE((header.flags == kSecure) == options_.server_tls());
      size_t count = 0;
      while (strings.Next().has_value()) ++count;
      REQUIRE(count >= 5 && count % 2 == 1);
      requests_.insert(header.arg);
      return;
    }
    case UpKind::kUpgradeEnded:
      requests_.erase(header.arg);
      return;
    case UpKind::kStopped:
      for (const auto& [id, other] : lives_) REQUIRE((id & kJsOwnedId) != 0);
      life = Life::kGone;
      port_ = 0;
      requests_.clear();
      return;
    default:
      REQUIRE(kind == UpKind::kStopped);  // nothing else is for a listener
  }
}

void JavaScript::OnConnection(UpKind kind, const RecordHeader& header, std::string_view payload, Life& life) {
  const bool is_client = (header.id & kJsOwnedId) != 0;
  switch (kind) {
    case UpKind::kText:
    case UpKind::kBinary:
    case UpKind::kLargeText:
    case UpKind::kLargeBinary:
    case UpKind::kLentBinary:
      REQUIRE(life == Life::kOpen);
      OnMessage(kind, header, payload);
      return;
    case UpKind::kStarted:
      REQUIRE(is_client && life == Life::kAsked);
      life = payload.empty() ? Life::kStarted : Life::kGone;
      return;
    case UpKind::kOpened:
      REQUIRE(is_client && life == Life::kStarted);
      life = Life::kOpen;
      return;
    case UpKind::kConnectFailed:
      REQUIRE(is_client && life == Life::kStarted);
      life = Life::kOver;
      return;
    case UpKind::kClosed:
      REQUIRE(life == Life::kOpen || (is_client && life == Life::kStarted));
      life = Life::kOver;
      // Said again and again elsewhere if the ring is full; here the rest of the script has room for it.
      Say(DownKind::kRelease, header.id);
      return;
    case UpKind::kGone:
      REQUIRE(is_client && life == Life::kOver);
      life = Life::kGone;
      return;
    case UpKind::kDrained:
      REQUIRE(life <= Life::kOpen);
      return;
    case UpKind::kPing:
    case UpKind::kPong:
      REQUIRE(!is_client && watches_ && life == Life::kOpen);
      return;
    default:
      REQUIRE(kind == UpKind::kClosed);  // nothing else is for a connection
  }
}

std::string_view JavaScript::Lent(const RecordHeader& header, std::string_view payload) {
  if ((header.flags & kNewBlock) != 0) block_ = up_payloads_.Take(header.arg);
  uint32_t place[2];
  REQUIRE(payload.size() == sizeof(place) && block_.data != nullptr);
  std::memcpy(place, payload.data(), sizeof(place));
  REQUIRE(place[0] <= block_.size && place[1] <= block_.size - place[0]);
  lent_read_ += place[1];
  const std::string_view bytes(reinterpret_cast<const char*>(block_.data.get()) + place[0], place[1]);
  // They can be read.
  const size_t sum = std::hash<std::string_view>()(bytes);
  REQUIRE(sum == std::hash<std::string_view>()(bytes));
  return bytes;
}

void JavaScript::OnMessage(UpKind kind, const RecordHeader& header, std::string_view payload) {
  Payload beside;
  if (kind == UpKind::kLargeText || kind == UpKind::kLargeBinary) {
    beside = up_payloads_.Take(header.arg);
    REQUIRE(beside.data != nullptr);
    payload = {reinterpret_cast<const char*>(beside.data.get()), beside.size};
  }
  if (kind == UpKind::kLentBinary) payload = Lent(header, payload);
  REQUIRE(payload.size() <= kMessageBytes);
  if (kind == UpKind::kLentBinary || kind == UpKind::kBinary || kind == UpKind::kLargeBinary) return;
  const Utf8Result result = CheckUtf8(payload);
  const bool ascii = (header.flags & kAsciiOnly) != 0;
  REQUIRE(ascii == (result == Utf8Result::kAscii));
  REQUIRE(options_.netstack() || ascii || result == Utf8Result::kValid);
}

}  // namespace ohws::fuzz
