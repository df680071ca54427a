#include "metrics/exposition.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "metrics/series_writer.h"
#include "metrics/text_format.h"
#include "text/utf8.h"

namespace pgconn::metrics {
namespace {

using ExtraLabels = std::vector<std::pair<std::string, std::string>>;
using Names = std::span<const std::string_view>;

// The extra labels of a batch, which come before each series' own.
struct Prefix {
  std::string text;
  std::size_t origin = 0;  // equal for equal sets of labels, in whatever order
};

// A family of one batch, on its way to be joined with those of the other batches.
struct Part {
  std::string_view name;  // of the family, as the format knows it
  const Descriptor* descriptor = nullptr;
  const Family* family = nullptr;
  const Prefix* prefix = nullptr;
};

// All parts of an exposition, sorted by name; equal names in the order of the batches.
class Parts {
 public:
  Parts(std::span<const LabeledBatch> batches, Format format) {
    for (const LabeledBatch& batch : batches) {
      if (batch.batch != nullptr) add(batch, format);
    }
    std::ranges::stable_sort(parts_, {}, &Part::name);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  std::span<const Part> all() const { return parts_; }

 private:
  void add(const LabeledBatch& batch, Format format);
  const Prefix* make_prefix(const ExtraLabels& labels, Names taken);

  std::vector<Part> parts_;
  std::deque<Prefix> prefixes_;  // parts point into it
  std::unordered_map<std::string, std::size_t> origins_;
};

// Renders the extra labels, except those whose name an earlier one or the descriptor has.
std::string render(const ExtraLabels& labels, Names taken) {
  std::string rendered;
  for (auto label = labels.begin(); label != labels.end(); ++label) {
    const std::string& name = label->first;
    const std::string& value = label->second;
    const bool repeated = std::any_of(labels.begin(), label,
                                      [&](const auto& earlier) { return earlier.first == name; });
    if (repeated || std::ranges::find(taken, name) != taken.end()) continue;
    append_label(rendered, name, text::is_exposable(value) ? value : text::repaired(value));
  }
  return rendered;
}

bool clash(const ExtraLabels& labels, Names names) {
  return std::ranges::any_of(labels, [names](const auto& label) {
    return std::ranges::find(names, label.first) != names.end();
  });
}

void Parts::add(const LabeledBatch& batch, Format format) {
  const Prefix* const usual = make_prefix(batch.labels, {});
  for (const Family& family : batch.batch->families()) {
    const Descriptor& descriptor = *family.descriptor;
    const Names names = descriptor.labels();
    parts_.push_back(
        {.name = format == Format::kOpenMetrics ? base_name(descriptor) : descriptor.name,
         .descriptor = &descriptor,
         .family = &family,
         .prefix = clash(batch.labels, names) ? make_prefix(batch.labels, names) : usual});
  }
}

const Prefix* Parts::make_prefix(const ExtraLabels& labels, Names taken) {
  ExtraLabels sorted = labels;
  std::ranges::stable_sort(sorted, {}, &ExtraLabels::value_type::first);
  const auto entry = origins_.emplace(render(sorted, taken), origins_.size()).first;
  return &prefixes_.emplace_back(Prefix{.text = render(labels, taken), .origin = entry->second});
}

// Remembers the series of several parts that could contain the same one.
class SeenSeries {
 public:
  // The series that follow belong to `part`.
  void start(const Part& part) {
    part_ = &part;
    order_.resize(part.descriptor->label_count);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::sort(order_, {}, [&](std::size_t i) { return part.descriptor->label_names[i]; });
  }

  // True the first time that this label set comes from the part's origin.
  bool is_new(const std::vector<std::string>& labels) {
    std::string key = std::to_string(part_->prefix->origin);
    for (std::size_t i : order_) append_label(key, part_->descriptor->label_names[i], labels[i]);
    return seen_.insert(std::move(key)).second;
  }

 private:
  const Part* part_ = nullptr;
  std::vector<std::size_t> order_;  // the part's labels by name
  std::unordered_set<std::string> seen_;
};

// True if two of the parts could contain the same series: only if their extra labels are equal.
bool may_repeat(std::span<const Part> parts) {
  std::unordered_set<std::size_t> origins;
  return parts.size() > 1 && !std::ranges::all_of(parts, [&](const Part& part) {
           return origins.insert(part.prefix->origin).second;
         });
}

std::string_view type_name(Type type, Format format) {
  switch (type) {
    case Type::kGauge:
      return "gauge";
    case Type::kCounter:
      return "counter";
    case Type::kInfo:
      return format == Format::kOpenMetrics ? "info" : "gauge";
    case Type::kHistogram:
      return "histogram";
  }
  return "unknown";
}

void write_metadata(std::string& out, const Part& part, Format format) {
  const Descriptor& descriptor = *part.descriptor;
  const auto start = [&](std::string_view keyword) {
    out.append("# ").append(keyword).append(" ").append(part.name).append(" ");
  };
  const auto write_type = [&] {
    start("TYPE");
    out.append(type_name(descriptor.type, format)).append("\n");
  };
  if (format == Format::kOpenMetrics) {
    write_type();
    if (descriptor.unit != Unit::kNone) {
      start("UNIT");
      out.append(unit_name(descriptor.unit)).append("\n");
    }
    start("HELP");
    append_escaped(out, descriptor.help);
    out += '\n';
  } else {
    start("HELP");
    append_escaped_text_help(out, descriptor.help);
    out += '\n';
    write_type();
  }
}

// Writes the parts of one name as one family.
void write_family(std::string& out, std::span<const Part> parts, Format format) {
  const bool watch = may_repeat(parts);
  SeenSeries seen;
  write_metadata(out, parts.front(), format);
  for (const Part& part : parts) {
    if (part.descriptor->type != parts.front().descriptor->type) continue;
    SeriesWriter writer(out, *part.descriptor, part.prefix->text, format);
    if (watch) seen.start(part);
    const auto write_all = [&](const auto& series) {
      for (const auto& one : series) {
        if (!watch || seen.is_new(one.labels)) writer.write(one);
      }
    };
    write_all(part.family->samples);
    write_all(part.family->histograms);
  }
}

}  // namespace

std::string expose(std::span<const LabeledBatch> batches, Format format) {
  const Parts parts(batches, format);
  std::string out;
  for (auto rest = parts.all(); !rest.empty();) {
    const auto end = std::ranges::find_if(
        rest, [&](const Part& part) { return part.name != rest.front().name; });
    const auto same = rest.first(static_cast<std::size_t>(end - rest.begin()));
    write_family(out, same, format);
    rest = rest.subspan(same.size());
  }
  if (format == Format::kOpenMetrics) out += "# EOF\n";
  return out;
}

}  // namespace pgconn::metrics
