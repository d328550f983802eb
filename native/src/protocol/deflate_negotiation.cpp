// The header's grammar, one table of parameters, and the two decisions. Any thread.
#include "protocol/deflate_negotiation.h"

#include <algorithm>
#include <optional>

#include "protocol/handshake.h"

namespace ohws {
namespace {

constexpr std::string_view kName = "permessage-deflate";
constexpr std::string_view kServerNoContextTakeover = "server_no_context_takeover";
constexpr std::string_view kClientNoContextTakeover = "client_no_context_takeover";
constexpr std::string_view kServerMaxWindowBits = "server_max_window_bits";
constexpr std::string_view kClientMaxWindowBits = "client_max_window_bits";

struct Parameter {
  std::string_view name;
  std::optional<std::string> value;
};

// Reads a header value (RFC 6455 §9.1) from left to right: NextElement(), then NextParameter() until it has
// no more. What breaks the grammar ends both and stays known.
class ExtensionReader {
 public:
  explicit ExtensionReader(std::string_view text) : rest_(text) {}

  // The name of the next extension.
  std::optional<std::string_view> NextElement() {
    // A list may have empty elements (RFC 9110 §5.6.1.2).
    do {
      SkipBlanks();
    } while (Take(','));
    if (malformed_ || rest_.empty()) return std::nullopt;
    return TakeToken();
  }

  std::optional<Parameter> NextParameter() {
    SkipBlanks();
    if (malformed_ || rest_.empty() || rest_.front() == ',') return std::nullopt;
    if (!Take(';')) return Fail();
    SkipBlanks();
    Parameter parameter{TakeToken(), std::nullopt};
    SkipBlanks();
    if (malformed_ || !Take('=')) return malformed_ ? std::nullopt : std::optional(std::move(parameter));
    SkipBlanks();
    parameter.value = !rest_.empty() && rest_.front() == '"' ? TakeQuoted() : std::string(TakeToken());
    return malformed_ ? std::nullopt : std::optional(std::move(parameter));
  }

  bool malformed() const { return malformed_; }

 private:
  std::nullopt_t Fail() {
    malformed_ = true;
    return std::nullopt;
  }

  void SkipBlanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view TakeToken() {
    const std::string_view token = rest_.substr(0, rest_.find_first_of(" \t,;=\""));
    if (!IsToken(token)) Fail();
    rest_.remove_prefix(token.size());
    return token;
  }

  // Without its quotes and backslashes it has to be a token.
  std::string TakeQuoted() {
    std::string value;
    Take('"');
    while (!rest_.empty() && rest_.front() != '"') {
      if (Take('\\') && rest_.empty()) break;
      value.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    if (!Take('"') || !IsToken(value)) Fail();
    return value;
  }

  std::string_view rest_;
  bool malformed_ = false;
};

// One permessage-deflate of a header, as it stands there.
struct Element {
  bool legal = true;  // every parameter is known, comes once, and has a value only where it may, in range
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool names_client_max_window_bits = false;  // perhaps without a value
  std::optional<uint8_t> server_max_window_bits;
  std::optional<uint8_t> client_max_window_bits;
};

// 8 to 15, without a zero in front (§7.1.2.1).
std::optional<uint8_t> WindowBits(const std::optional<std::string>& value) {
  for (uint8_t bits = kMinWindowBits; value.has_value() && bits <= kMaxWindowBits; ++bits) {
    if (*value == std::to_string(bits)) return bits;
  }
  return std::nullopt;
}

// False if it comes again or has a value.
bool SetFlag(bool& flag, const Parameter& parameter) {
  if (flag || parameter.value.has_value()) return false;
  flag = true;
  return true;
}

bool Add(Element& element, const Parameter& parameter) {
  if (parameter.name == kServerNoContextTakeover)
    return SetFlag(element.server_no_context_takeover, parameter);
  if (parameter.name == kClientNoContextTakeover)
    return SetFlag(element.client_no_context_takeover, parameter);
  if (parameter.name == kServerMaxWindowBits) {
    if (element.server_max_window_bits.has_value()) return false;
    element.server_max_window_bits = WindowBits(parameter.value);
    return element.server_max_window_bits.has_value();
  }
  if (parameter.name == kClientMaxWindowBits) {
    if (element.names_client_max_window_bits) return false;
    element.names_client_max_window_bits = true;
    element.client_max_window_bits = WindowBits(parameter.value);
    return element.client_max_window_bits.has_value() || !parameter.value.has_value();
  }
  return false;
}

Element ReadParameters(ExtensionReader& reader) {
  Element element;
  while (const auto parameter = reader.NextParameter()) element.legal &= Add(element, *parameter);
  return element;
}

std::string Bits(std::string_view name, uint8_t bits) {
  return "; " + std::string(name) + '=' + std::to_string(bits);
}

std::string Flag(std::string_view name) { return "; " + std::string(name); }

// Nothing if this offer cannot be met.
std::optional<DeflateDecision> Accept(const DeflateOptions& options, const Element& offer) {
  if (!offer.legal) return std::nullopt;
  // The client's window can be limited only if the client says that it can be (§7.1.2.2).
  if (options.client_max_window_bits < kMaxWindowBits && !offer.names_client_max_window_bits)
    return std::nullopt;
  DeflateDecision decision;
  decision.kind = DeflateDecision::Kind::kDeflate;
  DeflateParameters& agreed = decision.agreed;
  agreed.server_no_context_takeover = options.server_no_context_takeover || offer.server_no_context_takeover;
  agreed.client_no_context_takeover = options.client_no_context_takeover || offer.client_no_context_takeover;
  agreed.server_max_window_bits =
      std::min(options.server_max_window_bits, offer.server_max_window_bits.value_or(kMaxWindowBits));
  agreed.client_max_window_bits =
      std::min(options.client_max_window_bits, offer.client_max_window_bits.value_or(kMaxWindowBits));

  decision.answer = kName;
  if (agreed.server_no_context_takeover) decision.answer += Flag(kServerNoContextTakeover);
  if (agreed.client_no_context_takeover) decision.answer += Flag(kClientNoContextTakeover);
  // What was asked for is answered even where it is the default.
  if (offer.server_max_window_bits.has_value() || agreed.server_max_window_bits < kMaxWindowBits)
    decision.answer += Bits(kServerMaxWindowBits, agreed.server_max_window_bits);
  if (offer.names_client_max_window_bits)
    decision.answer += Bits(kClientMaxWindowBits, agreed.client_max_window_bits);
  return decision;
}

DeflateDecision Refuse() { return {DeflateDecision::Kind::kRefuse, {}, {}}; }

}  // namespace

void DeflateOptions::Set(std::string_view name, size_t value) {
  const auto small = static_cast<uint8_t>(value);
  if (name == "serverMaxWindowBits") server_max_window_bits = small;
  if (name == "clientMaxWindowBits") client_max_window_bits = small;
  if (name == "serverNoContextTakeover") server_no_context_takeover = value != 0;
  if (name == "clientNoContextTakeover") client_no_context_takeover = value != 0;
  if (name == "level") level = small;
  if (name == "memLevel") memory_level = small;
  if (name == "threshold") threshold_bytes = value;
}

DeflateDecision AnswerDeflateOffers(const DeflateOptions& options, std::string_view offers) {
  ExtensionReader reader(offers);
  std::optional<DeflateDecision> decision;
  while (const auto name = reader.NextElement()) {
    const Element element = ReadParameters(reader);
    if (*name == kName && !decision.has_value()) decision = Accept(options, element);
  }
  if (reader.malformed()) return Refuse();
  return decision.value_or(DeflateDecision{});
}

std::string DeflateOffer(const DeflateOptions& options) {
  std::string offer(kName);
  if (options.server_no_context_takeover) offer += Flag(kServerNoContextTakeover);
  if (options.client_no_context_takeover) offer += Flag(kClientNoContextTakeover);
  if (options.server_max_window_bits < kMaxWindowBits)
    offer += Bits(kServerMaxWindowBits, options.server_max_window_bits);
  offer += options.client_max_window_bits < kMaxWindowBits
               ? Bits(kClientMaxWindowBits, options.client_max_window_bits)
               : Flag(kClientMaxWindowBits);
  return offer;
}

DeflateDecision JudgeDeflateAnswer(const DeflateOptions& options, std::string_view answer) {
  ExtensionReader reader(answer);
  const auto name = reader.NextElement();
  if (!name.has_value()) return reader.malformed() ? Refuse() : DeflateDecision{};
  const Element element = ReadParameters(reader);
  const bool more = reader.NextElement().has_value();
  if (reader.malformed() || more || *name != kName || !element.legal) return Refuse();
  // Only an offer may name it without a value.
  if (element.names_client_max_window_bits && !element.client_max_window_bits.has_value()) return Refuse();

  DeflateDecision decision;
  decision.kind = DeflateDecision::Kind::kDeflate;
  DeflateParameters& agreed = decision.agreed;
  agreed.server_no_context_takeover = element.server_no_context_takeover;
  agreed.client_no_context_takeover =
      options.client_no_context_takeover || element.client_no_context_takeover;
  agreed.server_max_window_bits = element.server_max_window_bits.value_or(kMaxWindowBits);
  agreed.client_max_window_bits =
      std::min(options.client_max_window_bits, element.client_max_window_bits.value_or(kMaxWindowBits));

  const bool keeps_context = options.server_no_context_takeover && !agreed.server_no_context_takeover;
  const bool too_wide = agreed.server_max_window_bits > options.server_max_window_bits ||
                        element.client_max_window_bits.value_or(0) > options.client_max_window_bits;
  return keeps_context || too_wide ? Refuse() : decision;
}

}  // namespace ohws
