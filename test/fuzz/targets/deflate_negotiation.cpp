// Any header: what is agreed on is in range and within both sides' wishes; and our client understands every
// answer that our server gives to its offer.
#include "protocol/deflate_negotiation.h"

#include "fuzz.h"
#include "protocol/handshake.h"

namespace ohws::fuzz {
namespace {

using Kind = DeflateDecision::Kind;

DeflateOptions ReadOptions(Input& input) {
  DeflateOptions options;
  options.Set("serverMaxWindowBits", 8 + input.Below(8));
  options.Set("clientMaxWindowBits", 8 + input.Below(8));
  const uint8_t bits = input.Byte();
  options.Set("serverNoContextTakeover", bits & 1U);
  options.Set("clientNoContextTakeover", bits & 2U);
  options.Set("level", bits % 10U);
  options.Set("memLevel", 1 + bits % 9U);
  options.Set("threshold", bits);
  options.Set("unknown", bits);
  REQUIRE(options.server_no_context_takeover == ((bits & 1) != 0) && options.level == bits % 10);
  return options;
}

bool InRange(uint8_t bits, uint8_t most) { return bits >= kMinWindowBits && bits <= most; }

bool Equal(const DeflateParameters& a, const DeflateParameters& b) {
  return a.server_max_window_bits == b.server_max_window_bits &&
         a.client_max_window_bits == b.client_max_window_bits &&
         a.server_no_context_takeover == b.server_no_context_takeover &&
         a.client_no_context_takeover == b.client_no_context_takeover;
}

void CheckAgreement(const DeflateOptions& options, const DeflateParameters& agreed) {
  REQUIRE(InRange(agreed.server_max_window_bits, options.server_max_window_bits));
  REQUIRE(InRange(agreed.client_max_window_bits, options.client_max_window_bits));
  REQUIRE(!options.server_no_context_takeover || agreed.server_no_context_takeover);
  REQUIRE(!options.client_no_context_takeover || agreed.client_no_context_takeover);
}

}  // namespace

void FuzzOne(Input input) {
  const DeflateOptions server = ReadOptions(input);
  const DeflateOptions client = ReadOptions(input);
  const std::string header = input.Rest();

  const DeflateDecision answered = AnswerDeflateOffers(server, header);
  REQUIRE((answered.kind == Kind::kDeflate) == !answered.answer.empty());
  if (answered.kind == Kind::kDeflate) {
    CheckAgreement(server, answered.agreed);
    REQUIRE(IsFieldValue(answered.answer) && header.find("permessage-deflate") != std::string::npos);
    // A client that wishes for nothing reads it as it was meant.
    const DeflateDecision judged = JudgeDeflateAnswer({}, answered.answer);
    REQUIRE(judged.kind == Kind::kDeflate && Equal(judged.agreed, answered.agreed));
  }
  // A second offer changes nothing about a first that is met, if it is well-formed.
  const DeflateDecision with_more = AnswerDeflateOffers(server, header + ", permessage-deflate");
  if (answered.kind == Kind::kDeflate) REQUIRE(with_more.answer == answered.answer);
  REQUIRE((with_more.kind == Kind::kRefuse) == (answered.kind == Kind::kRefuse));

  const DeflateDecision judged = JudgeDeflateAnswer(client, header);
  if (judged.kind == Kind::kDeflate) CheckAgreement(client, judged.agreed);

  const DeflateDecision between = AnswerDeflateOffers(server, DeflateOffer(client));
  REQUIRE(between.kind == Kind::kDeflate);
  const DeflateDecision understood = JudgeDeflateAnswer(client, between.answer);
  REQUIRE(understood.kind == Kind::kDeflate);
  CheckAgreement(server, understood.agreed);
  CheckAgreement(client, understood.agreed);
  REQUIRE(understood.agreed.server_max_window_bits == between.agreed.server_max_window_bits);
  REQUIRE(understood.agreed.client_max_window_bits == between.agreed.client_max_window_bits);
  REQUIRE(understood.agreed.server_no_context_takeover == between.agreed.server_no_context_takeover);
  REQUIRE(understood.agreed.client_no_context_takeover == between.agreed.client_no_context_takeover);
}

}  // namespace ohws::fuzz
