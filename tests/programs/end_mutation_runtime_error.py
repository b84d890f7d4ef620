inventory = {"apple": 3, "pear": 0, "fig": 7}
for name in list(inventory):
    if inventory[name] == 0:
        print("removing", name)
        del inventory[name]
print(inventory)
gen = (k for k in inventory)
print(next(gen))
print("mutating while iterating")
for name, count in inventory.items():
    print(name, count)
    if count > 2:
        inventory[name + "_copy"] = count
