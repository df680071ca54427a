// The tables of `auth_modules`: how /probe logs in, and where it may.
#include <algorithm>
#include <array>

#include "config/schema.h"
#include "config/sections.h"
#include "config/text_rules.h"

namespace pgconn::config {
namespace {

constexpr std::size_t kMostModules = 100;
constexpr std::size_t kMostPlaces = 100;
constexpr std::string_view kPlacesAllowed = "a list of 1 to 100 places";
constexpr std::string_view kPlaceAllowed =
    "a network (`10.1.0.0/16`), an address or a name (`*.db.internal`), with or without a port "
    "(`db.example.com:5432`)";
constexpr std::string_view kModuleAllowed = "a mapping with at least `allow`";

void read_allow(const Value& value, ReadContext& context, AuthModule& module) {
  if (!expect_list(value, kPlacesAllowed, context.problems)) return;
  const std::size_t count = value.node.children.size();
  if (count == 0 || count > kMostPlaces) {
    context.problems.add(
        value.node.line, value.path,
        "has " + std::to_string(count) + " entries; allowed: " + std::string(kPlacesAllowed));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Value item = value.item(i);
    const auto text = read_text(item, kPlaceAllowed, context.problems);
    if (!text) continue;
    const auto place = AllowedPlace::parse(*text);
    if (place) {
      module.allow.push_back(*place);
    } else {
      context.problems.add(item.node.line, item.path,
                           "is no place; allowed: " + std::string(kPlaceAllowed));
    }
  }
}

Field<AuthModule> dsn_field() {
  const std::string allowed = "a libpq connection string without a server and without a password";
  return {.key = "dsn",
          .type = "text",
          .allowed = allowed,
          .default_text = "\"\"",
          .help =
              "What else belongs to a connection: `user=pgconn sslmode=verify-full`. Host, port "
              "and possibly the database come with the request.",
          .read = [=](const Value& value, ReadContext& context, AuthModule& module) {
            const auto dsn = read_text(value, allowed, context.problems);
            if (!dsn) return;
            const auto& check = context.vocabulary.check_placeless_dsn;
            if (const auto wrong = check && !dsn->empty() ? check(*dsn) : std::nullopt) {
              context.problems.add(value.node.line, value.path, *wrong);
            }
            module.target.dsn = *dsn;
          }};
}

// Those keys of a target that make sense for a server that is asked once.
std::vector<Field<AuthModule>> fields_of_target() {
  static constexpr std::array kShared = {std::string_view("kind"),
                                         std::string_view("password_file"),
                                         std::string_view("labels"),
                                         std::string_view("password_env"),
                                         std::string_view("password_command"),
                                         std::string_view("password_lifetime"),
                                         std::string_view("path_idle_limit"),
                                         std::string_view("collectors")};
  std::vector<Field<AuthModule>> shared = within(&AuthModule::target, target_fields());
  std::erase_if(shared, [](const Field<AuthModule>& field) {
    return std::find(kShared.begin(), kShared.end(), field.key) == kShared.end();
  });
  return shared;
}

AuthModule read_module(const Value& value, ReadContext& context, const Config& config) {
  AuthModule module;
  module.name = value.node.key;
  module.target.global = config.global;
  module.target.collectors = config.collectors;
  module.target.own_password_only = true;
  std::vector<Field<AuthModule>> fields(auth_module_fields().begin(), auth_module_fields().end());
  for (Field<AuthModule>& field :
       within(&AuthModule::target,
              std::span<const Field<Target>>(within(&Target::global, global_fields())))) {
    fields.push_back(std::move(field));
  }
  read_section<AuthModule>(value, kModuleAllowed, fields, context, module);
  if (value.node.kind != YamlNode::Kind::kMapping) return module;
  check_offset(value, module.target.global, context.problems);
  check_password_source(value, context.problems);
  return module;
}

}  // namespace

std::span<const Field<AuthModule>> auth_module_fields() {
  static const std::vector<Field<AuthModule>> fields = [] {
    std::vector<Field<AuthModule>> all = {
        {.key = "allow",
         .type = "list of texts",
         .allowed = std::string(kPlacesAllowed) + ", each " + std::string(kPlaceAllowed),
         .default_text = "",
         .help = "Where this login may be sent. A network is compared with the address that is "
                 "then connected to; a name trusts whoever decides what it resolves to.",
         .read = read_allow,
         .required = true},
        dsn_field(),
        integer("max_per_second", &AuthModule::max_per_second, {1, 10'000},
                "How many requests with this module are served in a second; more get 429."),
    };
    for (Field<AuthModule>& field : fields_of_target()) all.push_back(std::move(field));
    return all;
  }();
  return fields;
}

void read_auth_modules(const Value& value, ReadContext& context, Config& config) {
  if (!expect_mapping(value, kAuthModulesAllowed, context.problems)) return;
  const std::size_t count = value.node.children.size();
  if (count == 0 || count > kMostModules) {
    context.problems.add(
        value.node.line, value.path,
        "has " + std::to_string(count) + " modules; allowed: " + std::string(kAuthModulesAllowed));
    return;
  }
  for (const YamlNode& node : value.node.children) {
    const Value entry = value.child(node);
    if (is_name(node.key)) {
      config.auth_modules.push_back(read_module(entry, context, config));
    } else {
      context.problems.add(node.line, entry.path,
                           "is no name; allowed: " + std::string(kTargetName.allowed));
    }
  }
}

}  // namespace pgconn::config
