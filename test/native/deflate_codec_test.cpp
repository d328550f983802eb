// permessage-deflate: messages there and back in every setting, data of other compressors, data that lies,
// and memory: what is held, what is counted, what happens where there is none.
#include "protocol/deflate_codec.h"

#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "check.h"

namespace ohws {
namespace {

using check::Random;
using Status = MessageAssembler::Status;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

FramePiece Piece(std::string_view bytes, uint64_t remaining, bool first, bool last, bool binary = true,
                 bool compressed = true) {
  FramePiece piece;
  piece.data = Bytes(bytes).data();
  piece.size = bytes.size();
  piece.remaining = remaining;
  piece.first = first;
  piece.last = last;
  piece.binary = binary;
  piece.compressed = compressed;
  return piece;
}

std::string Text(std::span<const uint8_t> bytes) { return std::string(bytes.begin(), bytes.end()); }
std::string Text(const Payload& payload) {
  return payload.data == nullptr ? "(none)"
                                 : Text(std::span<const uint8_t>(payload.data.get(), payload.size));
}

DeflateParameters Parameters(uint8_t server_bits, bool server_context, uint8_t client_bits,
                             bool client_context) {
  DeflateParameters parameters;
  parameters.server_max_window_bits = server_bits;
  parameters.client_max_window_bits = client_bits;
  parameters.server_no_context_takeover = !server_context;
  parameters.client_no_context_takeover = !client_context;
  return parameters;
}

// One side of a connection.
struct Side {
  Side(Role role, const DeflateParameters& agreed, const DeflateOptions& options, DeflateWorkspace& workspace,
       const MessageLimits& limits)
      : session(role, options, agreed,
                DeflateReservation::Of(workspace.budget(), Decompressor::MaxBytes(kMaxWindowBits)),
                workspace),
        assembler(limits) {}

  // A compressed binary message in pieces of up to `piece` bytes.
  Status Receive(std::string_view data, size_t piece = SIZE_MAX, bool binary = true) {
    bool first = true;
    do {
      const std::string_view now = data.substr(0, piece);
      data.remove_prefix(now.size());
      const auto status = session.Receive(Piece(now, data.size(), first, data.empty(), binary), assembler);
      if (status != Status::kPartial || data.empty()) return status;
      first = false;
    } while (true);
  }

  std::string Message() {
    std::string text = Text(assembler.view());
    assembler.Reset();
    return text;
  }

  DeflateSession session;
  MessageAssembler assembler;
};

struct Pair {
  explicit Pair(const DeflateParameters& agreed, DeflateOptions options = {}, uint64_t max_message_bytes = 0)
      : workspace(budget),
        limits{.max_message_bytes = max_message_bytes},
        server(Role::kServer, agreed, Plain(options), workspace, limits),
        client(Role::kClient, agreed, Plain(options), workspace, limits) {}

  static DeflateOptions Plain(DeflateOptions options) {
    options.threshold_bytes = 0;
    return options;
  }

  DeflateBudget budget;
  DeflateWorkspace workspace;
  MessageLimits limits;
  Side server;
  Side client;
};

// Raw DEFLATE data of a compressor that is not ours, flushed, with the tail.
std::string Deflate(std::string_view text, int flush = Z_SYNC_FLUSH, int level = 6) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, flush);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string WithoutTail(std::string data) {
  data.resize(data.size() - 4);
  return data;
}

// Text like that of a program: much is said again, from near and from far.
std::string Chatter(Random& random, size_t size) {
  std::string text;
  while (text.size() < size) {
    const size_t kind = random.Below(4);
    if (kind == 0 || text.empty()) {
      text += random.Bytes(random.Below(40) + 1);
    } else if (kind == 1) {
      text += "{\"key\": " + std::to_string(random.Below(1000)) + "}";
    } else {
      const size_t back = random.Below(std::min<size_t>(text.size(), 40'000)) + 1;
      text += text.substr(text.size() - back, random.Below(300));
    }
  }
  text.resize(size);
  return text;
}

TEST(every_setting_round_trips) {
  Random random(1);
  for (uint8_t bits = kMinWindowBits; bits <= kMaxWindowBits; ++bits) {
    for (const bool context : {true, false}) {
      Pair pair(Parameters(bits, context, static_cast<uint8_t>(23 - bits), !context));
      for (int n = 0; n < 12; ++n) {
        const std::string message = Chatter(random, 1 + random.Below(n < 10 ? 3000 : 200'000));
        const std::string down = Text(pair.server.session.Compress(Bytes(message)));
        CHECK_EQ(pair.client.Receive(down, 1 + random.Below(5000)), Status::kComplete);
        CHECK(pair.client.Message() == message);
        const std::string up = Text(pair.client.session.Compress(Bytes(message)));
        CHECK_EQ(pair.server.Receive(up), Status::kComplete);
        CHECK(pair.server.Message() == message);
      }
    }
  }
}

TEST(every_level_and_memory_level_round_trips) {
  Random random(2);
  for (uint8_t level = 0; level <= 9; ++level) {
    for (uint8_t memory_level = 1; memory_level <= 9; ++memory_level) {
      DeflateOptions options;
      options.level = level;
      options.memory_level = memory_level;
      Pair pair(Parameters(12, true, 12, true), options);
      for (int n = 0; n < 3; ++n) {
        const std::string message = Chatter(random, 20'000);
        CHECK_EQ(pair.client.Receive(Text(pair.server.session.Compress(Bytes(message)))), Status::kComplete);
        CHECK(pair.client.Message() == message);
      }
    }
  }
}

TEST(context_is_kept_only_where_it_was_agreed_on) {
  Random random(3);
  const std::string message = random.Bytes(4000);  // only its own copy compresses it
  for (const bool context : {true, false}) {
    Pair pair(Parameters(15, context, 15, context));
    const std::string first = Text(pair.server.session.Compress(Bytes(message)));
    const std::string second = Text(pair.server.session.Compress(Bytes(message)));
    CHECK(context ? second.size() < 100 : second == first);
    CHECK_EQ(pair.client.Receive(first), Status::kComplete);
    CHECK(pair.client.Message() == message);
    CHECK_EQ(pair.client.Receive(second), Status::kComplete);
    CHECK(pair.client.Message() == message);
  }
}

// A strict reader with a window of 256 bytes, given one byte of room at a time: any reference from further
// back is an error to it.
TEST(a_window_of_eight_bits_is_one) {
  Random random(4);
  const std::string block = random.Bytes(300);
  for (uint8_t level = 0; level <= 9; ++level) {
    for (uint8_t memory_level = 1; memory_level <= 9; ++memory_level) {
      DeflateOptions options;
      options.level = level;
      options.memory_level = memory_level;
      Pair pair(Parameters(8, true, 15, true), options);
      z_stream reader{};
      CHECK_EQ(inflateInit2(&reader, -8), Z_OK);
      for (int n = 0; n < 6; ++n) {
        std::string message;
        // Repeats at every distance from 200 to 519 come first, then anything.
        for (size_t gap = 0; n == 0 && gap < 320; ++gap)
          message += block.substr(0, 100) + random.Bytes(gap + 100);
        if (n > 0) message = Chatter(random, 8000);
        const std::string data =
            Text(pair.server.session.Compress(Bytes(message))) + std::string("\0\0\xff\xff", 4);
        std::string out;
        reader.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
        reader.avail_in = static_cast<uInt>(data.size());
        int result = Z_OK;
        while (result == Z_OK) {
          Bytef byte = 0;
          reader.next_out = &byte;
          reader.avail_out = 1;
          result = inflate(&reader, Z_SYNC_FLUSH);
          if (reader.avail_out == 0) out.push_back(static_cast<char>(byte));
        }
        CHECK_EQ(result, Z_BUF_ERROR);
        CHECK(out == message);
      }
      inflateEnd(&reader);
    }
  }
}

TEST(the_examples_of_the_rfc) {  // RFC 7692 §7.2.3
  using namespace std::string_literals;
  Pair pair(Parameters(15, true, 15, true));
  const auto receive = [&pair](const std::string& data) {
    CHECK_EQ(pair.server.Receive(data, SIZE_MAX, false), Status::kComplete);
    return pair.server.Message();
  };
  CHECK_EQ(receive("\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  CHECK_EQ(receive("\xf2\x00\x11\x00\x00"s), "Hello");                          // the context of the first
  CHECK_EQ(receive("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), "Hello");  // not compressed
  CHECK_EQ(receive("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), "Hello");              // BFINAL
  CHECK_EQ(receive("\xf2\x00\x11\x00\x00"s), "Hello");                          // and its context lives on
  CHECK_EQ(receive("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s), "Hello");  // two blocks
  CHECK_EQ(receive("\x00"s), "");
  CHECK_EQ(receive("\x00"s), "");
}

TEST(streams_that_end_within_a_message) {
  Random random(5);
  const std::string one = Chatter(random, 3000);
  const std::string two = Chatter(random, 70'000);
  for (const size_t piece : {size_t{1}, size_t{7}, SIZE_MAX}) {
    Pair pair(Parameters(15, true, 15, false));
    CHECK_EQ(pair.server.Receive(Deflate(one, Z_FINISH) + WithoutTail(Deflate(two)), piece),
             Status::kComplete);
    CHECK(pair.server.Message() == one + two);
    // The last block is a final one, and its end is what was taken off.
    CHECK_EQ(pair.server.Receive(WithoutTail(Deflate(two)) + std::string("\0\0\xff\xff\x01", 5), piece),
             Status::kComplete);
    CHECK(pair.server.Message() == two);
  }
}

TEST(compressed_and_plain_messages_may_mix) {
  Pair pair(Parameters(15, true, 15, true));
  const std::string message(2000, 'm');
  for (int n = 0; n < 3; ++n) {
    CHECK_EQ(pair.server.Receive(Text(pair.client.session.Compress(Bytes(message)))), Status::kComplete);
    CHECK(pair.server.Message() == message);
    CHECK_EQ(pair.server.session.Receive(Piece(message, 0, true, true, true, false), pair.server.assembler),
             Status::kComplete);
    CHECK(pair.server.Message() == message);
  }
}

TEST(small_messages_are_left_alone) {
  DeflateBudget budget;
  DeflateWorkspace workspace(budget);
  DeflateOptions options;
  options.threshold_bytes = 100;
  DeflateSession session(Role::kServer, options, {}, {}, workspace);
  CHECK(session.Compress(Bytes(std::string(99, 'x'))).data == nullptr);
  CHECK_EQ(budget.used(), 0u);
  CHECK(session.Compress(Bytes(std::string(100, 'x'))).data != nullptr);
  options.threshold_bytes = 0;
  DeflateSession eager(Role::kServer, options, {}, {}, workspace);
  CHECK(eager.Compress({}).data == nullptr);
  CHECK(eager.Compress(Bytes("x")).data != nullptr);
}

TEST(data_that_is_not_deflate) {
  using namespace std::string_literals;
  const std::string good = WithoutTail(Deflate("some text, some text, some text"));
  for (const std::string& bad : {""s, "\xff"s, "\x07"s, "\xff\xff\xff\xff"s, "hello world"s,
                                 "\x00\x05\x00\xfa\xff\x48\x65"s,  // a stored block that is cut off
                                 "\xf2\x48\xcd\xc9\xc9\x07"s,      // no end of a block
                                 good.substr(0, good.size() - 1), good.substr(0, good.size() / 2),
                                 "\xf3\x48\xcd\xc9\xc9\x07\x00"s,  // BFINAL, and no block behind it
                                 "\xf2\x00\x11\x00\x00"s}) {       // refers to what has never come
    for (const size_t piece : {size_t{1}, SIZE_MAX}) {
      Pair pair(Parameters(15, true, 15, true));
      CHECK_EQ(pair.server.Receive(bad, piece), Status::kCorrupt);
    }
  }
}

TEST(a_reference_beyond_the_agreed_window_is_corrupt) {
  Random random(6);
  const std::string once = random.Bytes(600);
  Pair pair(Parameters(15, true, 9, true));
  CHECK_EQ(pair.server.Receive(WithoutTail(Deflate(once + once)), 1), Status::kCorrupt);
}

TEST(random_data_does_no_harm) {
  Random random(7);
  for (int round = 0; round < 3000; ++round) {
    Pair pair(Parameters(15, true, 10, random.Below(2) == 0), {}, 100'000);
    std::string data = WithoutTail(Deflate(Chatter(random, random.Below(3000))));
    for (size_t n = random.Below(4); n > 0 && !data.empty(); --n)
      data[random.Below(data.size())] = static_cast<char>(random.Byte());
    if (random.Below(4) == 0) data = random.Bytes(random.Below(200));
    pair.server.Receive(data, 1 + random.Below(100));
    CHECK(pair.server.assembler.held_bytes() <= 100'000);
  }
}

TEST(text_is_judged_as_it_is_inflated) {
  Pair pair(Parameters(15, true, 15, true));
  std::string text = "ok " + std::string(100'000, 'x');
  text[70'000] = '\xff';
  CHECK_EQ(pair.server.Receive(WithoutTail(Deflate(text)), SIZE_MAX, false), Status::kInvalidUtf8);
  Pair cut(Parameters(15, true, 15, true));
  CHECK_EQ(cut.server.Receive(WithoutTail(Deflate("cut \xe2\x82")), SIZE_MAX, false), Status::kInvalidUtf8);
}

TEST(a_bomb_costs_no_more_than_the_limit) {
  const std::string bomb = WithoutTail(Deflate(std::string(size_t{64} << 20, '\0'), Z_SYNC_FLUSH, 9));
  CHECK(bomb.size() < 70'000);
  constexpr size_t kLimit = 1'000'000;
  for (const size_t piece : {size_t{1}, size_t{100}, SIZE_MAX}) {
    Pair pair(Parameters(15, true, 15, true), {}, kLimit);
    size_t most = 0;
    size_t taken = 0;
    Status status = Status::kPartial;
    while (status == Status::kPartial && taken < bomb.size()) {
      const std::string_view now = std::string_view(bomb).substr(taken, piece);
      status = pair.server.session.Receive(Piece(now, 0, taken == 0, taken + now.size() == bomb.size()),
                                           pair.server.assembler);
      taken += now.size();
      most = std::max(most, pair.server.assembler.held_bytes());
    }
    CHECK_EQ(status, Status::kTooLarge);
    CHECK(most <= kLimit);
    if (piece == 1) CHECK(taken < 2000);
  }
  // At the limit, and one beyond.
  Pair pair(Parameters(15, true, 15, true), {}, kLimit);
  CHECK_EQ(pair.server.Receive(WithoutTail(Deflate(std::string(kLimit, 'x')))), Status::kComplete);
  CHECK_EQ(pair.server.Message().size(), kLimit);
  CHECK_EQ(pair.server.Receive(WithoutTail(Deflate(std::string(kLimit + 1, 'x')))), Status::kTooLarge);
}

TEST(fragments_are_counted_as_they_came) {
  const std::string data = WithoutTail(Deflate(std::string(1'000'000, 'x')));  // more than one scratch
  const MessageLimits limits{.max_fragments = 2};
  for (const size_t fragments : {1, 2, 3}) {
    Pair pair(Parameters(15, true, 15, true));
    MessageAssembler assembler(limits);
    Status status = Status::kPartial;
    for (size_t n = 0; n < fragments && status == Status::kPartial; ++n) {
      // Each frame comes in two chunks.
      const std::string frame = n + 1 < fragments ? data.substr(n * 10, 10) : data.substr(n * 10);
      for (const size_t half : {size_t{0}, size_t{1}}) {
        const std::string now = half == 0 ? frame.substr(0, 4) : frame.substr(4);
        status = pair.server.session.Receive(Piece(now, half == 0 ? frame.size() - 4 : 0, n == 0 && half == 0,
                                                   n + 1 == fragments && half == 1),
                                             assembler);
        if (status != Status::kPartial) break;
      }
    }
    CHECK_EQ(status, fragments <= 2 ? Status::kComplete : Status::kTooManyFragments);
  }
}

TEST(messages_of_exactly_the_scratch_size) {
  Pair pair(Parameters(15, true, 15, true));
  for (const size_t size : {65'535, 65'536, 65'537, 131'072, 131'073}) {
    CHECK_EQ(pair.server.Receive(WithoutTail(Deflate(std::string(size, 'x')))), Status::kComplete);
    CHECK_EQ(pair.server.Message().size(), size);
  }
}

TEST(a_decompressor_stays_within_what_is_reserved_for_it) {
  Random random(8);
  const std::string message = Chatter(random, 200'000);
  for (uint8_t bits = kMinWindowBits; bits <= kMaxWindowBits; ++bits) {
    for (const bool context : {true, false}) {
      const MessageLimits limits;
      MessageAssembler assembler(limits);
      DeflateBudget budget;
      const auto compressor = Compressor::Make({bits, 6, 8}, budget);
      Decompressor decompressor({bits, context});
      CHECK_EQ(decompressor.held_bytes(), 0u);
      for (int n = 0; n < 2; ++n) {
        const std::string data = Text(compressor->Compress(Bytes(message), context));
        std::vector<uint8_t> scratch(1000);
        const size_t half = data.size() / 2;
        CHECK_EQ(decompressor.Feed(Piece(std::string_view(data).substr(0, half), 0, true, false), scratch,
                                   assembler),
                 Status::kPartial);
        CHECK(decompressor.held_bytes() > (size_t{1} << bits));
        CHECK(decompressor.held_bytes() <= Decompressor::MaxBytes(bits));
        CHECK_EQ(
            decompressor.Feed(Piece(std::string_view(data).substr(half), 0, false, true), scratch, assembler),
            Status::kComplete);
        CHECK(Text(assembler.view()) == message);
        CHECK_EQ(decompressor.held_bytes() != 0, context);
      }
    }
  }
}

TEST(the_budget) {
  DeflateBudget budget(1000);
  CHECK(budget.TryTake(600));
  CHECK(!budget.TryTake(401));
  CHECK(budget.TryTake(400));
  CHECK_EQ(budget.used(), 1000u);
  budget.SetLimit(500);
  CHECK(!budget.TryTake(1));
  budget.Give(1000);
  CHECK(!budget.TryTake(501));
  CHECK(!budget.TryTake(SIZE_MAX));
  {
    DeflateReservation reservation = DeflateReservation::Of(budget, 400);
    CHECK(!reservation.empty());
    CHECK(DeflateReservation::Of(budget, 101).empty());
    DeflateReservation moved = std::move(reservation);
    moved.ShrinkTo(300);
    moved.ShrinkTo(350);
    CHECK_EQ(budget.used(), 300u);
    moved = DeflateReservation::Of(budget, 200);
    CHECK_EQ(budget.used(), 200u);
  }
  CHECK_EQ(budget.used(), 0u);
}

TEST(the_budget_between_threads) {
  DeflateBudget budget(1000);
  std::atomic<bool> exceeded = false;
  const auto work = [&budget, &exceeded] {
    for (int n = 0; n < 20'000; ++n) {
      const DeflateReservation reservation = DeflateReservation::Of(budget, 300);
      if (budget.used() > 1000) exceeded = true;
    }
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
  CHECK(!exceeded);
  CHECK_EQ(budget.used(), 0u);
}

TEST(without_budget_messages_leave_as_they_are) {
  const std::string message(5000, 'm');
  for (const bool context : {true, false}) {
    DeflateBudget budget(Decompressor::MaxBytes(15));
    {
      DeflateWorkspace workspace(budget);
      DeflateSession session(Role::kServer, Pair::Plain({}), Parameters(15, context, 15, true),
                             DeflateReservation::Of(budget, Decompressor::MaxBytes(15)), workspace);
      CHECK(session.Compress(Bytes(message)).data == nullptr);
      CHECK_EQ(budget.used(), Decompressor::MaxBytes(15));
      budget.SetLimit(1'000'000);  // and when there is room again, they are compressed
      CHECK(session.Compress(Bytes(message)).data != nullptr);
      CHECK(budget.used() > Decompressor::MaxBytes(15) + 200'000);
      CHECK(budget.used() <= 1'000'000);
    }
    CHECK_EQ(budget.used(), 0u);
  }
}

TEST(connections_that_keep_no_context_share_a_compressor) {
  DeflateBudget budget;
  DeflateWorkspace workspace(budget);
  const std::string message(5000, 'm');
  const auto compress = [&](bool context, uint8_t bits) {
    auto session = std::make_unique<DeflateSession>(
        Role::kServer, Pair::Plain({}), Parameters(bits, context, 15, true), DeflateReservation(), workspace);
    session->Compress(Bytes(message));
    return session;
  };
  const auto shared_one = compress(false, 15);
  const size_t one = budget.used();
  CHECK(one > 0);
  const auto shared_two = compress(false, 15);
  CHECK_EQ(budget.used(), one);
  const auto own = compress(true, 15);
  CHECK_EQ(budget.used(), 2 * one);
  const auto other_window = compress(false, 10);
  CHECK(budget.used() > 2 * one);
}

}  // namespace
}  // namespace ohws
