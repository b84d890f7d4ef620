class Node:
    def __init__(self, key):
        self.key = key
        self.left = None
        self.right = None


class BinarySearchTree:
    def __init__(self, keys=()):
        self.root = None
        for key in keys:
            self.insert(key)

    def insert(self, key):
        if self.root is None:
            self.root = Node(key)
            return
        node = self.root
        while True:
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, Node(key))
                return
            node = child

    def inorder(self, node):
        if node:
            yield from self.inorder(node.left)
            yield node.key
            yield from self.inorder(node.right)

    def height(self, node):
        return 0 if node is None else 1 + max(self.height(node.left), self.height(node.right))

    def draw(self, node, depth=0):
        if node:
            self.draw(node.right, depth + 1)
            print("    " * depth + str(node.key))
            self.draw(node.left, depth + 1)


tree = BinarySearchTree([50, 30, 70, 20, 40, 60, 80, 35, 65])
print("height", tree.height(tree.root), "sorted", list(tree.inorder(tree.root)))
tree.draw(tree.root)
