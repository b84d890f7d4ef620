from fractions import Fraction

RECIPE = {
    "flour": ("2 1/4", "cups"),
    "sugar": ("3/4", "cups"),
    "butter": ("1", "cups"),
    "salt": ("1/2", "teaspoons"),
    "eggs": ("2", ""),
    "milk": ("0.375", "cups"),
}


def parse(text):
    return sum(Fraction(part) for part in text.split())


def pretty(value):
    whole, rest = divmod(value, 1)
    if not rest:
        return str(whole)
    return f"{whole} {rest}" if whole else str(rest)


def scale(recipe, factor):
    return {name: (parse(amount) * factor, unit) for name, (amount, unit) in recipe.items()}


for servings, factor in ((6, Fraction(1, 4)), (24, Fraction(1)), (40, Fraction(5, 3))):
    print(f"For {servings} cookies:")
    for name, (amount, unit) in scale(RECIPE, factor).items():
        print(f"  {pretty(amount):>7} {unit} {name}".replace("  " + name, " " + name))

cup = Fraction("236.588")
for name, (amount, unit) in scale(RECIPE, Fraction(1)).items():
    if unit == "cups":
        print(f"{name}: {float(amount * cup):.0f} ml")
print("0.1 + 0.2 == 0.3:", 0.1 + 0.2 == 0.3, Fraction("0.1") + Fraction("0.2") == Fraction("0.3"))
print("pi is about", Fraction(3.141592653589793).limit_denominator(1000))
