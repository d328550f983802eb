// permessage-deflate: offers and answers, legal and not, as tables.
#include "protocol/deflate_negotiation.h"

#include "check.h"

namespace ohws {
namespace {

using Kind = DeflateDecision::Kind;

DeflateDecision Answer(std::string_view offers, const DeflateOptions& options = {}) {
  return AnswerDeflateOffers(options, offers);
}

DeflateDecision Judge(std::string_view answer, const DeflateOptions& options = {}) {
  return JudgeDeflateAnswer(options, answer);
}

// "15/15", with a dot behind a side that keeps no context; server first.
std::string Agreed(const DeflateDecision& decision) {
  if (decision.kind == Kind::kPlain) return "plain";
  if (decision.kind == Kind::kRefuse) return "refuse";
  const DeflateParameters& agreed = decision.agreed;
  return std::to_string(agreed.server_max_window_bits) + (agreed.server_no_context_takeover ? "." : "") +
         "/" + std::to_string(agreed.client_max_window_bits) + (agreed.client_no_context_takeover ? "." : "");
}

TEST(offers_and_complete_answers) {
  struct Row {
    std::string_view offer;
    std::string_view answer;
    std::string_view agreed;
  };
  constexpr Row kRows[] = {
      {"permessage-deflate", "permessage-deflate", "15/15"},
      {"permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover",
       "15./15"},
      {"permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover",
       "15/15."},
      {"permessage-deflate;server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10",
       "10/15"},
      {"permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15",
       "15/15"},
      {"permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8",
       "8/15"},
      {"permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=15",
       "15/15"},
      {"permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits=9",
       "15/9"},
      {"permessage-deflate; client_max_window_bits=8; server_max_window_bits=9; client_no_context_takeover; "
       "server_no_context_takeover",
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
       "server_max_window_bits=9; client_max_window_bits=8",
       "9./8."},
  };
  for (const Row& row : kRows) {
    const DeflateDecision decision = Answer(row.offer);
    CHECK_EQ(decision.answer, row.answer);
    CHECK_EQ(Agreed(decision), row.agreed);
  }
}

TEST(a_server_adds_what_it_wants_itself) {
  DeflateOptions options;
  options.server_no_context_takeover = true;
  options.client_no_context_takeover = true;
  options.server_max_window_bits = 11;
  CHECK_EQ(Answer("permessage-deflate", options).answer,
           "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
           "server_max_window_bits=11");
  CHECK_EQ(Answer("permessage-deflate; server_max_window_bits=15", options).agreed.server_max_window_bits,
           11);
  CHECK_EQ(Answer("permessage-deflate; server_max_window_bits=9", options).agreed.server_max_window_bits, 9);
}

TEST(the_clients_window_is_limited_only_where_the_client_allows_it) {
  DeflateOptions options;
  options.client_max_window_bits = 10;
  CHECK_EQ(Agreed(Answer("permessage-deflate", options)), "plain");
  CHECK_EQ(Agreed(Answer("permessage-deflate; client_max_window_bits", options)), "15/10");
  CHECK_EQ(Agreed(Answer("permessage-deflate; client_max_window_bits=12", options)), "15/10");
  CHECK_EQ(Agreed(Answer("permessage-deflate; client_max_window_bits=9", options)), "15/9");
  CHECK_EQ(Agreed(Answer("permessage-deflate, permessage-deflate; client_max_window_bits", options)),
           "15/10");
}

TEST(offers_that_are_declined) {
  for (const std::string_view parameters : {"unknown",
                                            "unknown=1",
                                            "server_no_context_takeover; server_no_context_takeover",
                                            "client_no_context_takeover; client_no_context_takeover",
                                            "server_max_window_bits=10; server_max_window_bits=10",
                                            "client_max_window_bits; client_max_window_bits",
                                            "client_max_window_bits=10; client_max_window_bits",
                                            "client_max_window_bits; client_max_window_bits=10",
                                            "server_no_context_takeover=1",
                                            "server_no_context_takeover=true",
                                            "client_no_context_takeover=0",
                                            "server_max_window_bits",
                                            "server_max_window_bits=7",
                                            "server_max_window_bits=16",
                                            "server_max_window_bits=08",
                                            "server_max_window_bits=+9",
                                            "server_max_window_bits=9a",
                                            "server_max_window_bits=99999999999999999",
                                            "server_max_window_bits=0",
                                            "client_max_window_bits=7",
                                            "client_max_window_bits=16",
                                            "client_max_window_bits=010",
                                            "client_max_window_bits=x",
                                            "Server_No_Context_Takeover"}) {
    const std::string offer = "permessage-deflate; " + std::string(parameters);
    CHECK_EQ(Agreed(Answer(offer)), "plain");
    CHECK_EQ(Agreed(Answer(offer + "; server_max_window_bits=9")), "plain");
    // The next offer is looked at.
    CHECK_EQ(Agreed(Answer(offer + ", permessage-deflate; server_max_window_bits=12")), "12/15");
  }
  for (const std::string_view other :
       {"", " ", ",", ", ,", "x-webkit-deflate-frame", "permessage-bzip2; a=b", "Permessage-Deflate",
        "permessage-deflate2", "foo; permessage-deflate"}) {
    CHECK_EQ(Agreed(Answer(other)), "plain");
  }
}

TEST(the_first_offer_that_can_be_met_wins) {
  CHECK_EQ(Agreed(Answer("permessage-deflate; server_no_context_takeover; server_max_window_bits=9, "
                         "permessage-deflate; server_no_context_takeover, permessage-deflate")),
           "9./15");
  CHECK_EQ(Agreed(Answer("permessage-foo, permessage-deflate; server_max_window_bits=7,"
                         "permessage-deflate;client_max_window_bits=10 , permessage-deflate")),
           "15/10");
}

TEST(quoted_values_and_blanks) {
  CHECK_EQ(Agreed(Answer("permessage-deflate; server_max_window_bits=\"10\"")), "10/15");
  CHECK_EQ(Agreed(Answer("permessage-deflate; server_max_window_bits=\"1\\0\"")), "10/15");
  CHECK_EQ(Agreed(Answer("\t permessage-deflate ;\tserver_max_window_bits = 10 ")), "10/15");
  CHECK_EQ(Agreed(Answer(",, permessage-deflate ,,")), "15/15");
  CHECK_EQ(Agreed(Answer("foo; a=\"x\", permessage-deflate")), "15/15");
  // Allowed by the grammar, but no flag takes a value.
  CHECK_EQ(Agreed(Answer("permessage-deflate; server_no_context_takeover=\"x\"")), "plain");
}

TEST(headers_that_break_the_grammar) {
  for (const std::string_view offers : {"permessage-deflate;",
                                        "permessage-deflate; ;",
                                        "permessage-deflate; server_max_window_bits=",
                                        "permessage-deflate; =9",
                                        "permessage-deflate foo",
                                        "permessage-deflate; a b",
                                        "permessage-deflate; a=b c",
                                        "permessage-deflate; server_max_window_bits=\"10",
                                        "permessage-deflate; server_max_window_bits=\"\"",
                                        "permessage-deflate; server_max_window_bits=\"10\\",
                                        "permessage-deflate; a=\"x y\"",
                                        "permessage-deflate; a=\"x\"y",
                                        "permessage-deflate; a=\"x,y\"",
                                        "; a",
                                        "=",
                                        "\"permessage-deflate\"",
                                        "permessage-deflate, foo(bar)",
                                        "permessage-deflate, b\xc3\xa4r",
                                        "foo; a=b=c",
                                        "permessage-deflate, foo;"}) {
    CHECK_EQ(Agreed(Answer(offers)), "refuse");
    CHECK_EQ(Agreed(Judge(offers)), "refuse");
  }
}

TEST(what_a_client_offers) {
  DeflateOptions options;
  CHECK_EQ(DeflateOffer(options), "permessage-deflate; client_max_window_bits");
  options.server_max_window_bits = 9;
  options.client_max_window_bits = 10;
  options.server_no_context_takeover = options.client_no_context_takeover = true;
  CHECK_EQ(DeflateOffer(options),
           "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
           "server_max_window_bits=9; client_max_window_bits=10");
}

TEST(answers_that_a_client_takes) {
  CHECK_EQ(Agreed(Judge("")), "plain");
  CHECK_EQ(Agreed(Judge("permessage-deflate")), "15/15");
  CHECK_EQ(Agreed(Judge("permessage-deflate; client_max_window_bits=8; server_max_window_bits=8")), "8/8");
  CHECK_EQ(Agreed(Judge("permessage-deflate; client_no_context_takeover; server_no_context_takeover")),
           "15./15.");
  DeflateOptions options;
  options.server_max_window_bits = options.client_max_window_bits = 10;
  options.client_no_context_takeover = true;
  CHECK_EQ(Agreed(Judge("permessage-deflate; server_max_window_bits=10", options)), "10/10.");
  CHECK_EQ(Agreed(Judge("permessage-deflate; server_max_window_bits=9; client_max_window_bits=9", options)),
           "9/9.");
  options.server_no_context_takeover = true;
  CHECK_EQ(
      Agreed(Judge("permessage-deflate; server_no_context_takeover; server_max_window_bits=10", options)),
      "10./10.");
}

TEST(answers_that_a_client_refuses) {
  for (const std::string_view answer :
       {"permessage-foo", "permessage-deflate, permessage-deflate", "permessage-deflate, permessage-foo",
        "Permessage-Deflate", "permessage-deflate; unknown", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16", "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"}) {
    CHECK_EQ(Agreed(Judge(answer)), "refuse");
  }
  DeflateOptions options;
  options.server_max_window_bits = 10;
  CHECK_EQ(Agreed(Judge("permessage-deflate", options)), "refuse");
  CHECK_EQ(Agreed(Judge("permessage-deflate; server_max_window_bits=11", options)), "refuse");
  options = {};
  options.client_max_window_bits = 10;
  CHECK_EQ(Agreed(Judge("permessage-deflate; client_max_window_bits=11", options)), "refuse");
  options = {};
  options.server_no_context_takeover = true;
  CHECK_EQ(Agreed(Judge("permessage-deflate", options)), "refuse");
}

DeflateOptions AnyOptions(check::Random& random) {
  DeflateOptions options;
  options.server_max_window_bits = static_cast<uint8_t>(8 + random.Below(8));
  options.client_max_window_bits = static_cast<uint8_t>(8 + random.Below(8));
  options.server_no_context_takeover = random.Below(2) == 0;
  options.client_no_context_takeover = random.Below(2) == 0;
  return options;
}

TEST(our_two_sides_always_agree) {
  check::Random random(11);
  for (int round = 0; round < 2000; ++round) {
    const DeflateOptions client = AnyOptions(random);
    const DeflateOptions server = AnyOptions(random);
    const DeflateDecision answer = AnswerDeflateOffers(server, DeflateOffer(client));
    CHECK_EQ(answer.kind, Kind::kDeflate);
    CHECK_EQ(Agreed(JudgeDeflateAnswer(client, answer.answer)), Agreed(answer));
  }
}

TEST(random_headers_do_no_harm) {
  check::Random random(12);
  constexpr std::string_view kPieces[] = {"permessage-deflate",
                                          ";",
                                          ",",
                                          "=",
                                          " ",
                                          "\"",
                                          "\\",
                                          "server_max_window_bits",
                                          "client_max_window_bits",
                                          "10",
                                          "9",
                                          "x",
                                          "\t",
                                          "server_no_context_takeover"};
  for (int round = 0; round < 20'000; ++round) {
    std::string header;
    for (size_t n = random.Below(12); n > 0; --n) header += kPieces[random.Below(std::size(kPieces))];
    const DeflateDecision decision = Answer(header);
    CHECK_EQ(decision.kind == Kind::kDeflate, !decision.answer.empty());
    Judge(header);
    // A header that a client takes is one a server could have sent for some offer.
    if (decision.kind == Kind::kRefuse) CHECK_EQ(Judge(header).kind, Kind::kRefuse);
  }
}

}  // namespace
}  // namespace ohws
