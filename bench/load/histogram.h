// Counts of durations in buckets no wider than 1/64 of their value.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ohws::bench {

class Histogram {
 public:
  Histogram() : counts_(kBuckets) {}

  void Add(uint64_t value) {
    ++counts_[Bucket(value)];
    ++total_;
    max_ = std::max(max_, value);
  }

  uint64_t max() const { return max_; }

  // The largest value of the bucket in which this part, 0 to 1, of all values is reached.
  uint64_t Percentile(double part) const {
    const double wanted = part * static_cast<double>(total_);
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(Largest(bucket), max_);
    }
    return 0;
  }

 private:
  static constexpr unsigned kSubBits = 6;
  static constexpr size_t kSubBuckets = size_t{1} << kSubBits;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) * kSubBuckets;

  // Below kSubBuckets each value has its own; above, each power of two has kSubBuckets.
  static size_t Bucket(uint64_t value) {
    if (value < kSubBuckets) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBits;
    return (shift + 1) * kSubBuckets + ((value >> shift) - kSubBuckets);
  }

  static uint64_t Largest(size_t bucket) {
    if (bucket < kSubBuckets) return bucket;
    const size_t shift = bucket / kSubBuckets - 1;
    return ((bucket % kSubBuckets + kSubBuckets + 1) << shift) - 1;
  }

  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
  uint64_t max_ = 0;
};

}  // namespace ohws::bench
