// The byte ring: records at the seam, a full ring, doorbells, and both sides at once. To be run under the
// thread sanitizer too.
#include "wire/ring.h"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "check.h"

namespace ohws {
namespace {

using check::Random;

constexpr uint8_t kSome = 7;  // any kind but kPad

// A ring in memory of its own, with both sides.
class Ring {
 public:
  explicit Ring(uint32_t capacity)
      : words_(std::make_unique<uint64_t[]>((kRingHeadBytes + capacity) / sizeof(uint64_t))),
        memory(reinterpret_cast<uint8_t*>(words_.get()), kRingHeadBytes + capacity),
        producer(memory),
        consumer(memory) {}

 private:
  std::unique_ptr<uint64_t[]> words_;

 public:
  RingMemory memory;
  RingProducer producer;
  RingConsumer consumer;
};

RecordHeader Header(uint32_t size, uint32_t id = 0) { return {kSome, 1, 2, id, size, 3}; }

bool Write(Ring& ring, const std::string& payload, uint32_t id = 0) {
  return ring.producer.TryWrite(Header(static_cast<uint32_t>(payload.size()), id), payload);
}

struct Record {
  RecordHeader header;
  std::string payload;
};

std::vector<Record> ReadAll(Ring& ring) {
  std::vector<Record> records;
  RecordHeader header;
  uint8_t* payload = nullptr;
  while (ring.consumer.Next(header, payload)) {
    records.push_back({header, std::string(payload, payload + header.size)});
  }
  return records;
}

TEST(records_come_out_as_they_went_in) {
  Ring ring(1024);
  CHECK(Write(ring, "", 1));
  CHECK(Write(ring, "x", 2));
  CHECK(Write(ring, std::string(100, 'y'), 3));
  CHECK(ReadAll(ring).empty());  // nothing is seen before Publish()
  ring.producer.Publish();
  const std::vector<Record> records = ReadAll(ring);
  CHECK_EQ(records.size(), 3u);
  CHECK_EQ(records[0].payload, "");
  CHECK_EQ(records[1].payload, "x");
  CHECK_EQ(records[2].payload, std::string(100, 'y'));
  const RecordHeader& header = records[2].header;
  CHECK_EQ(header.kind, kSome);
  CHECK_EQ(header.flags, 1);
  CHECK_EQ(header.aux, 2);
  CHECK_EQ(header.id, 3u);
  CHECK_EQ(header.arg, 3u);
  CHECK(ReadAll(ring).empty());
}

TEST(a_full_ring_takes_nothing_until_room_is_given_back) {
  constexpr uint32_t kCapacity = 256;
  Ring ring(kCapacity);
  // Records of 64 bytes fill it to the last byte (invariant 1: the difference may be the capacity).
  const std::string payload(64 - sizeof(RecordHeader), 'p');
  for (uint32_t i = 0; i < kCapacity / 64; ++i) CHECK(Write(ring, payload, i));
  CHECK(!Write(ring, payload));
  CHECK(!Write(ring, ""));
  ring.producer.Publish();
  CHECK_EQ(ReadAll(ring).size(), kCapacity / 64);
  CHECK(!Write(ring, ""));  // read, but not yet released
  ring.consumer.Release();
  CHECK(Write(ring, payload));
}

TEST(a_record_that_does_not_fit_before_the_seam_goes_behind_it) {
  Ring ring(256);
  CHECK(Write(ring, std::string(100, 'a')));  // 128 bytes with header and filling
  ring.producer.Publish();
  CHECK_EQ(ReadAll(ring).size(), 1u);
  ring.consumer.Release();
  CHECK(Write(ring, std::string(60, 'b')));   // 80 bytes: 48 are left before the seam, 176 in all
  CHECK(Write(ring, std::string(100, 'c')));  // 48 of padding and 128 bytes
  CHECK(!Write(ring, ""));
  ring.producer.Publish();
  const std::vector<Record> records = ReadAll(ring);
  CHECK_EQ(records.size(), 2u);
  CHECK_EQ(records[0].payload, std::string(60, 'b'));
  CHECK_EQ(records[1].payload, std::string(100, 'c'));
}

TEST(a_refused_record_leaves_the_ring_as_it_was) {
  Ring ring(256);
  CHECK(Write(ring, std::string(200, 'a')));  // 224 bytes, 32 left
  CHECK(!Write(ring, std::string(20, 'b')));  // 48 bytes: would need a pad and the room that 'a' has
  CHECK(Write(ring, std::string(16, 'c')));   // 32 bytes: fits to the last one
  ring.producer.Publish();
  const std::vector<Record> records = ReadAll(ring);
  CHECK_EQ(records.size(), 2u);
  CHECK_EQ(records[1].payload, std::string(16, 'c'));
}

TEST(the_largest_payload_fits_an_empty_ring_at_every_place) {
  Ring ring(512);
  const std::string largest(ring.producer.max_payload(), 'm');
  for (int place = 0; place < 64; ++place) {
    CHECK(Write(ring, ""));
    ring.producer.Publish();
    CHECK_EQ(ReadAll(ring).size(), 1u);
    ring.consumer.Release();
    CHECK(Write(ring, largest));
    ring.producer.Publish();
    const std::vector<Record> records = ReadAll(ring);
    CHECK_EQ(records.size(), 1u);
    CHECK_EQ(records[0].payload, largest);
    ring.consumer.Release();
  }
}

TEST(doorbells_of_the_consumer) {  // invariant 3
  Ring ring(256);
  CHECK(!ring.producer.Publish());  // nothing to publish
  CHECK(Write(ring, "a"));
  CHECK(!ring.producer.Publish());   // the consumer is awake
  CHECK(!ring.consumer.TrySleep());  // there is something to read
  CHECK_EQ(ReadAll(ring).size(), 1u);
  CHECK(ring.consumer.TrySleep());
  CHECK(!ring.producer.Publish());
  CHECK(Write(ring, "b"));
  CHECK(ring.producer.Publish());  // asleep: one doorbell
  CHECK(Write(ring, "c"));
  CHECK(!ring.producer.Publish());  // and one only
  CHECK_EQ(ReadAll(ring).size(), 2u);
  CHECK(ring.consumer.TrySleep());
  ring.consumer.Wake();
  CHECK(Write(ring, "d"));
  CHECK(!ring.producer.Publish());
}

TEST(doorbells_of_the_producer) {  // invariant 4
  Ring ring(256);
  const std::string payload(240, 'p');
  CHECK(Write(ring, payload));
  ring.producer.Publish();
  CHECK(!ring.consumer.Release());  // nothing read
  CHECK_EQ(ReadAll(ring).size(), 1u);
  CHECK(!Write(ring, payload));
  ring.producer.WaitForRoom();
  CHECK(ring.consumer.Release());
  CHECK(Write(ring, payload));
  ring.producer.Publish();
  CHECK_EQ(ReadAll(ring).size(), 1u);
  CHECK(!ring.consumer.Release());  // it does not wait any more
}

TEST(an_empty_ring_is_written_from_its_beginning) {  // invariant 5
  Ring ring(4 * kRingRewindBytes);
  const uint8_t* const beginning = ring.memory.At(0) + sizeof(RecordHeader);
  const std::string payload(kRingRewindBytes / 2 - sizeof(RecordHeader), 'p');
  CHECK(Write(ring, payload, 1));
  ring.producer.Publish();
  CHECK_EQ(ReadAll(ring).size(), 1u);
  ring.consumer.Release();
  CHECK(ring.producer.TryReserve(1) != beginning);  // too little was written
  CHECK(Write(ring, payload, 2));
  ring.producer.Publish();
  CHECK(ring.producer.TryReserve(1) != beginning);  // it is not empty
  CHECK_EQ(ReadAll(ring).size(), 1u);
  CHECK(ring.producer.TryReserve(1) != beginning);  // the room was not given back
  ring.consumer.Release();
  CHECK(ring.producer.TryReserve(1) == beginning);
  CHECK(Write(ring, payload, 3));
  CHECK(ring.producer.TryReserve(1) != beginning);  // not yet published
  CHECK(Write(ring, "last", 4));
  ring.producer.Publish();
  const std::vector<Record> records = ReadAll(ring);
  CHECK_EQ(records.size(), 2u);
  CHECK_EQ(records[0].header.id, 3u);
  CHECK_EQ(records[0].payload, payload);
  CHECK_EQ(records[1].payload, "last");
}

TEST(positions_pass_two_to_the_32) {
  Ring ring(64 * 1024);
  const uint32_t size = ring.producer.max_payload();
  const uint64_t rounds = (uint64_t{1} << 32) / size + 1000;
  int wrong = 0;
  for (uint64_t i = 0; i < rounds; ++i) {
    // Only the ends of the payload are written: four billion bytes would take long under a sanitizer.
    uint8_t* out = ring.producer.TryReserve(size);
    if (out == nullptr) {
      ++wrong;
      break;
    }
    out[0] = static_cast<uint8_t>(i);
    out[size - 1] = static_cast<uint8_t>(i >> 8);
    ring.producer.Commit(Header(size, static_cast<uint32_t>(i)));
    ring.producer.Publish();
    RecordHeader header;
    uint8_t* payload = nullptr;
    wrong += !ring.consumer.Next(header, payload) || header.id != static_cast<uint32_t>(i);
    wrong += payload == nullptr || payload[0] != static_cast<uint8_t>(i) ||
             payload[size - 1] != static_cast<uint8_t>(i >> 8);
    ring.consumer.Release();
  }
  CHECK_EQ(wrong, 0);
}

TEST(random_use_agrees_with_a_queue) {
  Random random(1);
  Ring ring(4096);
  std::deque<std::string> queue;
  int wrong = 0;
  int refused = 0;
  for (int round = 0; round < 200'000; ++round) {
    if (random.Below(5) < 3) {
      const std::string payload = random.Bytes(random.Below(random.Below(10) == 0 ? 1500 : 100));
      if (Write(ring, payload)) {
        queue.push_back(payload);
      } else {
        ++refused;
      }
      continue;
    }
    ring.producer.Publish();
    RecordHeader header;
    uint8_t* payload = nullptr;
    for (size_t left = random.Below(40); left > 0 && ring.consumer.Next(header, payload); --left) {
      wrong += (reinterpret_cast<uintptr_t>(payload) & 7) != 0;
      wrong += queue.empty() || queue.front() != std::string(payload, payload + header.size);
      if (!queue.empty()) queue.pop_front();
    }
    ring.consumer.Release();
  }
  ring.producer.Publish();
  wrong += ReadAll(ring).size() != queue.size();
  CHECK_EQ(wrong, 0);
  CHECK(refused > 0);
}

// What a thread sleeps on; the stand-in for an eventfd or a thread-safe function.
class Doorbell {
 public:
  void Ring() {
    const std::scoped_lock lock(mutex_);
    rung_ = true;
    condition_.notify_one();
  }
  // False if nobody rang for long: a wake-up was lost.
  bool Wait() {
    std::unique_lock lock(mutex_);
    const bool rang = condition_.wait_for(lock, std::chrono::seconds(20), [this] { return rung_; });
    rung_ = false;
    return rang;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool rung_ = false;
};

uint8_t PayloadByte(uint32_t id, size_t i) { return static_cast<uint8_t>(id * 31 + i); }

struct Traffic {
  uint32_t capacity;
  uint32_t records;
  size_t max_payload;
  size_t max_batch;
};

// One thread sends, one receives; both sleep whenever the ring lets them, so that every wake-up counts.
void RunBothSides(const Traffic& traffic, uint64_t stream) {
  Ring ring(traffic.capacity);
  Doorbell consumer_bell;
  Doorbell producer_bell;
  bool producer_woken = true;

  std::thread producer([&] {
    Random random(stream);
    size_t batch = 1;
    for (uint32_t id = 0; id < traffic.records && producer_woken; ++id) {
      const auto size = static_cast<uint32_t>(random.Below(traffic.max_payload + 1));
      uint8_t* out = ring.producer.TryReserve(size);
      while (out == nullptr && producer_woken) {
        if (ring.producer.Publish()) consumer_bell.Ring();
        ring.producer.WaitForRoom();
        out = ring.producer.TryReserve(size);
        if (out != nullptr) break;
        producer_woken = producer_bell.Wait();
        out = ring.producer.TryReserve(size);
      }
      if (out == nullptr) break;
      for (size_t i = 0; i < size; ++i) out[i] = PayloadByte(id, i);
      ring.producer.Commit(Header(size, id));
      if (--batch == 0) {
        batch = 1 + random.Below(traffic.max_batch);
        if (ring.producer.Publish()) consumer_bell.Ring();
      }
    }
    if (ring.producer.Publish()) consumer_bell.Ring();
  });

  Random random(stream + 1000);
  uint32_t expected = 0;
  int wrong = 0;
  bool consumer_woken = true;
  while (expected < traffic.records && consumer_woken) {
    RecordHeader header;
    uint8_t* payload = nullptr;
    for (size_t left = 1 + random.Below(traffic.max_batch); left > 0; --left) {
      if (!ring.consumer.Next(header, payload)) break;
      wrong += header.id != expected++ || header.kind != kSome;
      for (size_t i = 0; i < header.size; ++i) wrong += payload[i] != PayloadByte(header.id, i);
    }
    if (ring.consumer.Release()) producer_bell.Ring();
    if (ring.consumer.TrySleep() && expected < traffic.records) consumer_woken = consumer_bell.Wait();
  }
  if (!consumer_woken) producer_bell.Ring();
  producer.join();
  CHECK_EQ(wrong, 0);
  CHECK(producer_woken);
  CHECK(consumer_woken);
  CHECK_EQ(expected, traffic.records);
}

TEST(two_threads_with_a_million_small_records) { RunBothSides({64 * 1024, 1'000'000, 64, 64}, 2); }

TEST(two_threads_in_a_ring_that_is_always_full) { RunBothSides({1024, 100'000, 480, 3}, 4); }

TEST(two_threads_in_a_ring_that_is_written_from_its_beginning) {
  RunBothSides({4 * kRingRewindBytes, 20'000, 8192, 8}, 8);
}

TEST(two_threads_record_by_record) { RunBothSides({256, 50'000, 30, 1}, 6); }

}  // namespace
}  // namespace ohws
