#include "base/sha256.h"

#include <openssl/evp.h>

#include "padim/error.h"

namespace padim {

struct Sha256::Impl {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};

  static void check(int ok) {
    if (ok != 1) throw Error(ErrorCode::internal, "the SHA-256 of libcrypto failed");
  }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  Impl::check(EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr));
}

Sha256::Sha256(const Sha256& other) : impl_(std::make_unique<Impl>()) {
  Impl::check(EVP_MD_CTX_copy_ex(impl_->context.get(), other.impl_->context.get()));
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  Impl::check(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()));
}

Digest Sha256::finish() {
  Digest digest{};
  Impl::check(EVP_DigestFinal_ex(impl_->context.get(), digest.data(), nullptr));
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string to_hex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace padim
